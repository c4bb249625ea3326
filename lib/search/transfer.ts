import { type Float32Box, roundDown, roundUp } from '../region/outward';
import type { Blocks } from './blocks';
import type { Checkpoint } from './checkpoint';
import { foldedWhereCheaper } from './fold';
import { optimise, problemFeeds } from './optimise';
import {
  type AffineFunctional,
  initialSlopes,
  inputOf,
  type LayerBounds,
  type Problem,
  problemOf,
  problemRows,
} from './problem';
import { coverOf, type NeuronProof, type Proof, type ProofLeaf } from './proof';
import type { RegionOptions } from './regions';
import type { StepPrograms } from './steps';
import type { SubProblem } from './sub-problem';
import { isOver, type TimeLimit } from './time-limit';
import { searchTree, type TreeResult, type TryWitness } from './tree';

/** How a transfer ended. */
export type TransferResult =
  | { readonly kind: 'proven'; readonly margin: number }
  | { readonly kind: 'witness'; readonly witness: Float32Array }
  /** Bounds that hold on the ball, and what is left to prove with them. */
  | { readonly kind: 'open'; readonly bounds: readonly LayerBounds[]; readonly rest: Checkpoint };

export type TransferOptions = Omit<RegionOptions, 'levels' | 'resume'>;

/** Rows of one call. */
const batch = 256;
/** Steps on what a proof brings: it is near its best already, and most of what fails after these fails after more. */
const steps = 3;
/** Sub-problems that each of the two trees may take beyond those of the proof. */
const first = 16;
const further = 128;

/**
 * Tries on a ball what proved another one: first the bounds that the ball has, since a tree or two may do; then the proof's bounds of
 * neurons, layer by layer, and its trees of margins, whose leaves that are not above 0 are divided further. Sound: each tree covers the ball
 * (`coverOf`), and all bounds are computed for this ball; slopes and multipliers may come from anywhere.
 *
 * @param bounds of the ball
 */
export async function transferProof(
  blocks: Blocks,
  programs: Pick<StepPrograms, 'get'>,
  box: Float32Box,
  bounds: readonly LayerBounds[],
  functionals: readonly AffineFunctional[],
  tryWitness: (problem: Problem) => TryWitness,
  proof: Proof,
  options: TransferOptions,
): Promise<TransferResult> {
  let margin = Number.POSITIVE_INFINITY;
  let open = [...functionals.keys()];
  let own = bounds;
  for (const stage of proof.level === 0 ? [0] : [0, 1]) {
    if (stage > 0) own = await transferBounds(blocks, programs, box, bounds, proof.neurons, options);
    if (isContradictory(own)) break;
    const result = await marginTrees(blocks, programs, box, own, functionals, open, tryWitness, proof, stage, options);
    if (result === undefined) break;
    if (result.kind === 'witness') return result;
    if (result.kind === 'proven') return { kind: 'proven', margin: Math.min(margin, result.margin) };
    margin = Math.min(margin, result.proven);
    open = result.rows.map((i) => open[i]);
    if (result.reason !== 'limit') break;
  }
  const rest = {
    regions: [{ level: Math.max(1, proof.level), assumed: [], rows: open }],
    ...(Number.isFinite(margin) && { proven: margin }),
  };
  return { kind: 'open', bounds: own, rest };
}

/** Bounds that exclude each other on a whole ball are wrong: the search, which sees them too, reports that. */
function isContradictory(bounds: readonly LayerBounds[]): boolean {
  return bounds.some(({ lower, upper }) => lower.some((low, j) => low > upper[j]));
}

/**
 * The open functionals' trees of the proof on one ball. None where a tree has no part on which an input may be: all parts together are the
 * ball, which is not empty, so its bounds exclude each other and prove nothing.
 */
async function marginTrees(
  blocks: Blocks,
  programs: Pick<StepPrograms, 'get'>,
  box: Float32Box,
  bounds: readonly LayerBounds[],
  functionals: readonly AffineFunctional[],
  open: readonly number[],
  tryWitness: (problem: Problem) => TryWitness,
  proof: Proof,
  stage: number,
  { doubtsOf, recorder, ...options }: TransferOptions,
): Promise<TreeResult | undefined> {
  const folded = foldedWhereCheaper(blocks, { bounds, reach: inputOf(box).reach });
  const problem = problemOf(folded, box, bounds);
  const program = await programs.get(blocks.relus.length, problem.isFolded);
  const own = open.map((index) => functionals[index]);
  const rows = problemRows(folded, problem, own, bounds);
  const root = rootOf(problem);
  // Trees that were made with tighter bounds are of no use yet.
  const usesTrees = stage > 0 || proof.level === 0;
  const covers = rows.map((row, index) => {
    const tree = usesTrees ? proof.margins[open[index]] : rootsOf(proof.margins[open[index]]);
    return coverOf(problem, bounds, { ...root, row }, tree).map((sub) => ({ ...sub, index }));
  });
  if (covers.some((cover) => cover.length === 0)) return undefined;
  const leaves = covers.flat();
  const record = recorder?.trees(problem, usesTrees ? proof.level : 0, open);
  const doubts = doubtsOf?.(problem, own);
  return searchTree(program, problem, rows, tryWitness(problem), {
    ...options,
    limit: leaves.length + (stage > 0 ? further : first),
    begin: { leaves, steps: usesTrees ? 8 : 20 },
    ...(doubts && { doubts }),
    ...(record && { onProven: (index, leaf) => record(open[index], leaf) }),
  });
}

/** Of a tree only its root, with the slopes that it has where it was never divided. */
function rootsOf(leaves: readonly ProofLeaf[]): readonly ProofLeaf[] {
  return leaves.filter(({ path }) => path.length === 0);
}

function rootOf(problem: Problem): Omit<SubProblem, 'row'> {
  const beta = new Float32Array(problem.offsets[problem.layers.length]);
  return { splits: problem.splits, alpha: initialSlopes(problem), beta };
}

/** Tightens the bounds of a ball by what bounded neurons of another one; they only ever get better. */
export async function transferBounds(
  blocks: Blocks,
  programs: Pick<StepPrograms, 'get'>,
  box: Float32Box,
  bounds: readonly LayerBounds[],
  neurons: readonly (readonly NeuronProof[])[],
  { recorder, ...time }: TimeLimit & Pick<TransferOptions, 'recorder'>,
): Promise<LayerBounds[]> {
  const better = bounds.map(({ lower, upper }) => ({ lower: lower.slice(), upper: upper.slice() }));
  const { reach } = inputOf(box);
  for (const [k, proven] of neurons.entries()) {
    const { lower, upper } = better[k];
    const wanted = proven.filter(({ neuron: j }) => lower[j] < 0 && upper[j] > 0);
    if (k === 0 || wanted.length === 0) continue;
    const own = foldedWhereCheaper(blocks, { bounds: better, reach }, k);
    const problem = problemOf(own, box, better, undefined, k);
    const program = await programs.get(k, problem.isFolded);
    const feeds = problemFeeds(problem, k);
    const functionals = wanted.map(({ neuron, sign }) => ({ terms: [[neuron, sign]] as const, offset: 0 }));
    const rows = problemRows(own, problem, functionals, better, k);
    const root = rootOf(problem);
    const subs = rows.flatMap((row, i) =>
      coverOf(problem, better, { ...root, row }, wanted[i].leaves).map((sub) => ({ sub, i })),
    );
    // A tree without leaves: on none of its parts is an input, which cannot be on a whole ball. Nothing is taken from it.
    const least = wanted.map((_, i) =>
      subs.some((part) => part.i === i) ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY,
    );
    const kept = wanted.map((): SubProblem[] => []);
    for (let at = 0; at < subs.length; at += batch) {
      if (isOver(time)) return better;
      const part = subs.slice(at, at + batch);
      const list = part.map(({ sub }) => sub);
      const results = await optimise(program, problem, feeds, list, {
        steps,
        alphaRate: 0.1,
        betaRate: 0.05,
        layers: k,
      });
      for (const [r, { bound, values }] of results.entries()) {
        const { sub, i } = part[r];
        least[i] = Math.min(least[i], bound);
        kept[i].push({ ...sub, ...values() });
      }
    }
    for (const [i, { neuron, sign }] of wanted.entries()) {
      if (sign > 0) lower[neuron] = Math.max(lower[neuron], roundDown(least[i]));
      else upper[neuron] = Math.min(upper[neuron], roundUp(-least[i]));
      recorder?.neuron(problem, k, neuron, sign, kept[i]);
    }
  }
  return better;
}
