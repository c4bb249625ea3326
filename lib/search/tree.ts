import type { OpenLeaf } from './checkpoint';
import type { Doubts } from './doubt';
import { solveLeaf } from './leaf';
import { type Optimised, optimise, problemFeeds } from './optimise';
import { initialSlopes, type Problem, type ProblemRow } from './problem';
import { cutsOf, partOf } from './resume';
import type { StepProgram } from './steps';
import { type Candidate, childOf, type SubProblem } from './sub-problem';
import { isOver, type TimeLimit } from './time-limit';

/** How the search of one region ended. */
export type TreeResult =
  /** `branched`: some functional needed splits. */
  | { readonly kind: 'proven'; readonly margin: number; readonly branched: boolean }
  | { readonly kind: 'witness'; readonly witness: Float32Array }
  /**
   * `limit`: as many sub-problems as asked were bounded. `stuck`: every neuron of some sub-problem is decided and its bound still not above 0.
   */
  | {
      readonly kind: 'open';
      readonly reason: 'time' | 'memory' | 'limit' | 'stuck';
      readonly margin: number;
      /** Indices of the rows that are not proven. */
      readonly rows: readonly number[];
      /** The smallest bound of what was proven on the way; Infinity where there was nothing. */
      readonly proven: number;
      /** Per neuron of the problem, what its relaxation costs, summed over the open rows at the root. */
      readonly gaps: Float64Array;
      /** Bounds of all rows before any split; empty where the tree began at leaves of an earlier one. */
      readonly roots: readonly number[];
      /** The sub-problems that are not proven: they cover what is open. */
      leaves(): TreeLeaf[];
      /** Where it is the limit that stopped the tree: goes on from here, up to so many more sub-problems. */
      readonly more?: (limit: number) => Promise<TreeResult>;
    };

/** A sub-problem of the row with the index, by what it assumes. */
export interface TreeLeaf {
  readonly index: number;
  readonly cuts: OpenLeaf['cuts'];
}

export interface TreeOptions extends TimeLimit {
  /** Sub-problems kept at the same time, at most. */
  readonly frontier: number;
  /** Sub-problems bounded by one call. */
  readonly batch: number;
  /** Sub-problems bounded in all before giving up. */
  readonly limit: number;
  /** Where the trees begin instead of at their roots: the open leaves of an earlier search of the same region. */
  readonly start?: readonly TreeLeaf[];
  /** Or sub-problems that cover what is not proven, with where their optimisation starts and its steps. */
  readonly begin?: { readonly leaves: readonly Leaf[]; readonly steps: number };
  /** Told of proven sub-problems, with the index of their row. */
  readonly onProven?: (index: number, leaf: SubProblem) => void;
  /** Second opinions in float64, where float32 has not proven a sub-problem. */
  readonly doubts?: Doubts;
}

/** Steps by which branching candidates are compared. */
const lookAhead = 2;

/** Tries a minimiser as a counterexample. */
export type TryWitness = (corner: Float32Array | Float64Array) => Promise<Float32Array | undefined>;

/** A sub-problem of the functional with the index. */
export interface Leaf extends SubProblem {
  readonly index: number;
}

interface Bounded extends Leaf {
  readonly bound: number;
}

interface Open extends Bounded {
  readonly candidates: readonly Candidate[];
}

/**
 * Branch and bound over ReLU splits for functionals of one problem: all must be proven > 0. Each functional has a tree of its own; the
 * sub-problems of all trees share calls. Sound: a sub-problem is dropped only when its bound, rounding errors subtracted, is > 0, and the two
 * children of a split cover their parent (z >= 0 or z <= 0).
 */
export async function searchTree(
  session: StepProgram,
  problem: Problem,
  rows: readonly ProblemRow[],
  tryWitness: TryWitness,
  { frontier, batch, limit, start, begin, doubts, onProven, ...time }: TreeOptions,
): Promise<TreeResult> {
  const feeds = problemFeeds(problem);
  const neurons = problem.offsets[problem.layers.length];
  const root = { splits: problem.splits, alpha: initialSlopes(problem), beta: new Float32Array(neurons) };
  const gaps = new Float64Array(neurons);
  const open: Open[] = [];
  /** Not bounded yet. */
  const fresh = begin
    ? [...begin.leaves]
    : start
      ? start.flatMap(({ index, cuts }): Leaf[] => {
          const part = partOf(problem, { ...root, row: rows[index] }, cuts);
          return part ? [{ ...part, index }] : [];
        })
      : rows.map((row, index): Leaf => ({ ...root, row, index }));
  let margin = Number.POSITIVE_INFINITY;
  let bounded = 0;
  let branched = false;
  const roots: number[] = [];

  const giveUp = (reason: 'time' | 'memory' | 'limit' | 'stuck', also: readonly Bounded[] = []): TreeResult => {
    const left: Bounded[] = [...open, ...also, ...fresh.map((leaf) => ({ ...leaf, bound: Number.NEGATIVE_INFINITY }))];
    return {
      kind: 'open',
      reason,
      margin: left.reduce((least, { bound }) => Math.min(least, bound), Number.POSITIVE_INFINITY),
      rows: [...new Set(left.map(({ index }) => index))].sort((a, b) => a - b),
      proven: margin,
      gaps,
      roots,
      leaves: () => left.map((leaf) => ({ index: leaf.index, cuts: cutsOf(problem, leaf) })),
      // Nothing is in hand between calls: what is open is in the lists that this goes on with.
      ...(reason === 'limit' && { more: (limit: number) => grow(bounded + limit) }),
    };
  };

  const examine = async (list: readonly Leaf[], steps: number): Promise<TreeResult | undefined> => {
    const results = await optimise(session, problem, feeds, list, { steps, alphaRate: 0.25, betaRate: 0.1 });
    const isRoot = bounded === 0;
    bounded += list.length;
    let lowest: Optimised | undefined;
    const leaves: Leaf[] = [];
    for (const [i, result] of results.entries()) {
      if (isRoot && !start && !begin) roots.push(result.bound);
      const { bound } = result;
      if (bound > 0) {
        margin = Math.min(margin, bound);
        onProven?.(list[i].index, { ...list[i], ...result.values() });
        continue;
      }
      const leaf = { ...list[i], ...result.values() };
      const opinion = doubts?.near({ ...leaf, bound }) ?? bound;
      if (opinion > 0) {
        margin = Math.min(margin, opinion);
        onProven?.(leaf.index, leaf);
        continue;
      }
      if (lowest === undefined || bound < lowest.bound) lowest = result;
      if (isRoot) for (const [n, gap] of result.gaps().entries()) gaps[n] += Math.max(0, gap);
      const candidates = result.candidates();
      if (candidates.length === 0) leaves.push(leaf);
      else open.push({ ...leaf, bound, candidates });
    }
    const witness = lowest && (await tryWitness(lowest.corner()));
    if (witness) return { kind: 'witness', witness };
    return leaves.length > 0 ? finish(leaves) : undefined;
  };

  /** Sub-problems without a neuron to split: more steps on their multipliers, then those that a linear program proposes. */
  const finish = async (leaves: readonly Leaf[]): Promise<TreeResult | undefined> => {
    const stuck: Bounded[] = [];
    const results = await optimise(session, problem, feeds, leaves, { steps: 60, alphaRate: 0, betaRate: 0.1 });
    const tries = results.map(({ bound, corner }) => ({ bound, corner: bound > 0 ? undefined : corner() }));
    for (const [i, leaf] of leaves.entries()) {
      let { bound, corner } = tries[i];
      if (corner === undefined) {
        margin = Math.min(margin, bound);
        continue;
      }
      const solution = await solveLeaf(problem, leaf);
      if (solution) {
        const candidate = [{ ...leaf, beta: solution.beta }];
        const [own] = await optimise(session, problem, feeds, candidate, { steps: 1, alphaRate: 0, betaRate: 0 });
        bound = Math.max(bound, own.bound);
        corner = solution.corner;
      }
      if (bound > 0) {
        margin = Math.min(margin, bound);
        continue;
      }
      const opinion = await doubts?.leaf({ ...leaf, bound });
      if (opinion && opinion.bound > 0) {
        margin = Math.min(margin, opinion.bound);
        continue;
      }
      const witness = (opinion && (await tryWitness(opinion.corner))) ?? (await tryWitness(corner));
      if (witness) return { kind: 'witness', witness };
      stuck.push({ ...leaf, bound });
    }
    return stuck.length > 0 ? giveUp('stuck', stuck) : undefined;
  };

  /**
   * The two children of each sub-problem by the candidate whose worse child is best after a step or two: filtered smart branching (De Palma et
   * al. 2021, "Improved branch and bound for neural network verification via Lagrangian decomposition", section 4.1).
   */
  const branch = async (parents: readonly Open[]): Promise<Leaf[]> => {
    const tried: Leaf[] = [];
    /** By parent and candidate, where its children are in `tried`; -1: no input is there. */
    const places = parents.map((parent) =>
      parent.candidates.map((candidate) =>
        ([1, -1] as const).map((sign) => {
          const child = childOf(problem, parent, candidate, sign);
          return child === undefined ? -1 : tried.push({ ...child, index: parent.index }) - 1;
        }),
      ),
    );
    bounded += tried.length / 2;
    if (tried.length === 0) return [];
    const results = await optimise(session, problem, feeds, tried, {
      steps: lookAhead,
      alphaRate: 0.25,
      betaRate: 0.1,
    });
    const children: Leaf[] = [];
    for (const pairs of places) {
      let best = pairs[0];
      let most = Number.NEGATIVE_INFINITY;
      for (const pair of pairs) {
        const bounds = pair.map((i) => (i < 0 ? 0 : Math.min(results[i].bound, 0)));
        const score = Math.min(...bounds) + 0.1 * Math.max(...bounds);
        if (score > most) [best, most] = [pair, score];
      }
      for (const i of best) {
        if (i < 0) continue;
        const { bound, values } = results[i];
        if (bound > 0) {
          margin = Math.min(margin, bound);
          onProven?.(tried[i].index, { ...tried[i], ...values() });
        } else children.push({ ...tried[i], ...values() });
      }
    }
    return children;
  };

  const grow = async (most: number): Promise<TreeResult> => {
    while (fresh.length > 0) {
      if (bounded > 0 && isOver(time)) return giveUp('time');
      const end = await examine(fresh.splice(0, Math.max(batch, rows.length)), begin?.steps ?? 20);
      if (end) return end;
    }
    branched ||= open.length > 0;
    while (open.length > 0) {
      if (isOver(time)) return giveUp('time');
      if (open.length > frontier) return giveUp('memory');
      if (bounded > most) return giveUp('limit');
      // The latest first: the frontier stays small.
      const chosen = open.splice(Math.max(0, open.length - Math.max(1, batch >> 1)));
      const children = await branch(chosen);
      if (children.length === 0) continue;
      const end = await examine(children, 10);
      if (end) return end;
    }
    return { kind: 'proven', margin, branched };
  };
  return grow(limit);
}
