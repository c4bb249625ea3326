import type { Session } from '../bounds/sessions';
import { type Optimised, optimise, problemFeeds, type SubProblem } from './optimise';
import type { Problem, ProblemRow } from './problem';

/** How a search ended. `stuck`: every neuron of some sub-problem is decided and its bound still not above 0. */
export type SearchResult =
  | { readonly kind: 'proven'; readonly margin: number; readonly branched: boolean; readonly subProblems: number }
  | { readonly kind: 'witness'; readonly witness: Float32Array; readonly subProblems: number }
  | {
      readonly kind: 'open';
      readonly reason: 'time' | 'memory' | 'stuck';
      readonly margin: number;
      readonly subProblems: number;
    };

export interface SearchOptions {
  /** Clock time, ms since the epoch. */
  readonly deadline: number;
  /** Sub-problems kept at the same time, at most. */
  readonly frontier: number;
  /** Sub-problems bounded by one call. */
  readonly batch: number;
}

/** A point that may be a counterexample: true ends the search. */
export type TryWitness = (corner: Float32Array) => Promise<Float32Array | undefined>;

/**
 * Branch and bound over ReLU splits for the functionals of one ball: all must be proven > 0. Each functional has a tree of its own; the
 * sub-problems of all trees share calls. Sound: a sub-problem is dropped only when its bound, rounding errors subtracted, is > 0, and the two
 * children of a split cover their parent (z >= 0 or z <= 0).
 */
export async function searchTree(
  session: Session,
  problem: Problem,
  rows: readonly ProblemRow[],
  tryWitness: TryWitness,
  { deadline, frontier: capacity, batch }: SearchOptions,
): Promise<SearchResult> {
  const feeds = problemFeeds(problem);
  const neurons = problem.offsets[problem.layers.length];
  const initial = new Float32Array(neurons);
  for (const [k, { lower, upper, size }] of problem.layers.entries()) {
    for (let j = 0; j < size; j++) initial[problem.offsets[k] + j] = lower[j] >= 0 || upper[j] > -lower[j] ? 1 : 0;
  }
  const root = { splits: new Int8Array(neurons), alpha: initial, beta: new Float32Array(neurons) };
  let open: (SubProblem & { readonly bound: number; readonly branch: number })[] = [];
  let margin = Number.POSITIVE_INFINITY;
  let subProblems = 0;

  const examine = async (list: readonly SubProblem[], steps: number): Promise<SearchResult | undefined> => {
    const results = await optimise(session, problem, feeds, list, { steps, alphaRate: 0.25, betaRate: 0.1 });
    subProblems += list.length;
    let lowest: Optimised | undefined;
    for (const [i, result] of results.entries()) {
      if (result.bound > 0) {
        margin = Math.min(margin, result.bound);
        continue;
      }
      if (lowest === undefined || result.bound < lowest.bound) lowest = result;
      if (result.branch === undefined) {
        const witness = await tryWitness(result.corner);
        if (witness) return { kind: 'witness', witness, subProblems };
        return { kind: 'open', reason: 'stuck', margin: result.bound, subProblems };
      }
      open.push({ ...list[i], alpha: result.alpha, beta: result.beta, bound: result.bound, branch: result.branch });
    }
    const witness = lowest && (await tryWitness(lowest.corner));
    return witness && { kind: 'witness', witness, subProblems };
  };

  const first = await examine(
    rows.map((row) => ({ ...root, row })),
    20,
  );
  if (first) return first;
  const branched = open.length > 0;
  while (open.length > 0) {
    const worst = (): number => open.reduce((least, { bound }) => Math.min(least, bound), Number.POSITIVE_INFINITY);
    if (Date.now() > deadline) return { kind: 'open', reason: 'time', margin: worst(), subProblems };
    if (open.length > capacity) return { kind: 'open', reason: 'memory', margin: worst(), subProblems };
    const chosen = open.splice(Math.max(0, open.length - Math.max(1, batch >> 1)));
    const children = chosen.flatMap(({ branch, ...parent }) =>
      [1, -1].map((sign): SubProblem => {
        const splits = parent.splits.slice();
        splits[branch] = sign;
        return { ...parent, splits };
      }),
    );
    const end = await examine(children, 12);
    if (end) return end;
  }
  open = [];
  return { kind: 'proven', margin, branched, subProblems };
}
