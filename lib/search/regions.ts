import type { Float32Box } from '../region/outward';
import type { Blocks } from './blocks';
import type { Checkpoint, OpenLeaf, OpenRegion } from './checkpoint';
import type { Doubts } from './doubt';
import { foldedWhereCheaper } from './fold';
import {
  type AffineFunctional,
  type Assumptions,
  inputOf,
  type LayerBounds,
  type Problem,
  problemOf,
  problemRows,
} from './problem';
import type { Recorder } from './proof';
import { assumptionsOf, listed } from './resume';
import type { StepPrograms } from './steps';
import { tightenBounds } from './tighten';
import type { TimeLimit } from './time-limit';
import { searchTree, type TreeResult, type TryWitness } from './tree';

type OpenTree = Extract<TreeResult, { kind: 'open' }>;

/** How a search ended; `regions` and so on are what it took. */
export type SearchResult =
  /** `branched`: optimised bounds alone did not suffice. */
  | { readonly kind: 'proven'; readonly margin: number; readonly branched: boolean; readonly regions: number }
  | { readonly kind: 'witness'; readonly witness: Float32Array; readonly regions: number }
  | {
      readonly kind: 'open';
      readonly reason: 'time' | 'memory' | 'stuck';
      readonly margin: number;
      readonly regions: number;
      /** What is not proven, where another attempt may go on from there. */
      readonly checkpoint?: Checkpoint;
    };

export interface RegionOptions extends TimeLimit {
  readonly frontier: number;
  readonly batch: number;
  /** What the ball as a whole is tried with, one after the other; the last is also what regions are tried with. */
  readonly levels: readonly Level[];
  /** Goes on where an earlier search of the same question stopped, instead of at the ball as a whole. */
  readonly resume?: Checkpoint;
  /** Second opinions in float64 on the sub-problems of a region, for the functionals that are open there; without, float32 alone decides. */
  readonly doubtsOf?: (problem: Problem, functionals: readonly AffineFunctional[]) => Doubts;
  /** Told of what is proven on the ball as a whole. */
  readonly recorder?: Recorder;
}

/** How hard one attempt at a region tries. */
export interface Level {
  /** Steps of slopes for the bounds of neurons; 0: the bounds stay as they are. */
  readonly tightenSteps: number;
  /** Sub-problems per neuron that tightening may take to decide a sign (tighten.ts). */
  readonly leaves: number;
  /** Sub-problems of the tree with the bounds that this gives. */
  readonly limit: number;
}

/** A part of the ball: where the assumptions hold. */
interface Region {
  /** Which of the levels comes next. */
  readonly level: number;
  readonly assumed: Assumptions;
  /** Bounds that hold on the part it was cut from. */
  readonly bounds: readonly LayerBounds[];
  /** Indices of the functionals that are not proven there. */
  readonly rows: readonly number[];
  /** Lower bound of those functionals, from the region it was cut from. */
  readonly margin: number;
  /** Open leaves of the region's tree from an earlier search; without, it begins at its root. */
  readonly leaves?: readonly OpenLeaf[];
}

/**
 * Branch and bound on two levels. A region has pre-activation bounds of its own, tightened under its assumptions, and a tree of sub-problems that
 * keeps them fixed, which makes sub-problems cheap. A region whose tree grows too large is divided by the sign of one neuron and both parts get
 * tighter bounds. Sound: the parts cover the region, and what is proven on a region holds on its parts.
 */
export async function searchRegions(
  blocks: Blocks,
  steps: Pick<StepPrograms, 'get'>,
  box: Float32Box,
  bounds: readonly LayerBounds[],
  functionals: readonly AffineFunctional[],
  tryWitness: (problem: Problem) => TryWitness,
  options: RegionOptions,
): Promise<SearchResult> {
  const { resume } = options;
  const open: Region[] = (resume?.regions ?? [{ level: 0, assumed: [], rows: [...functionals.keys()] }]).map(
    ({ level, assumed, margin = Number.NEGATIVE_INFINITY, ...region }) => ({
      ...region,
      level: Math.min(level, options.levels.length - 1),
      assumed: assumptionsOf(assumed, bounds),
      bounds,
      margin,
    }),
  );
  let margin = resume?.proven ?? Number.POSITIVE_INFINITY;
  let regions = 0;
  let branched = resume !== undefined;
  for (let region = open.pop(); region !== undefined; region = open.pop()) {
    regions++;
    const { deadline, cpuEnd, levels } = options;
    const time: TimeLimit = { deadline, ...(cpuEnd !== undefined && { cpuEnd }) };
    const { tightenSteps, leaves, limit } = levels[region.level];
    const recorder = region.assumed.some(({ size }) => size > 0) ? undefined : options.recorder;
    const own = await tightenBounds(blocks, box, region.bounds, steps.get, {
      steps: tightenSteps,
      ...time,
      assumed: region.assumed,
      leaves,
      ...(recorder && { recorder }),
    });
    if (isEmpty(own)) {
      // Without assumptions there is always an input: bounds that contradict each other there are wrong, and prove nothing.
      if (region.assumed.every(({ size }) => size === 0))
        return { kind: 'open', reason: 'stuck', margin: Number.NEGATIVE_INFINITY, regions };
      continue;
    }
    const { assumed } = region;
    const folded = foldedWhereCheaper(blocks, { bounds: own, reach: inputOf(box).reach, assumed });
    const problem = problemOf(folded, box, own, region.assumed);
    const session = await steps.get(blocks.relus.length, problem.isFolded);
    const rows = problemRows(
      folded,
      problem,
      region.rows.map((index) => functionals[index]),
      own,
    );
    const { frontier, batch } = options;
    const doubts = options.doubtsOf?.(
      problem,
      region.rows.map((index) => functionals[index]),
    );
    const tree = (most: number): Promise<TreeResult> => {
      const record = recorder?.trees(problem, region.level, region.rows);
      return searchTree(session, problem, rows, tryWitness(problem), {
        ...{ ...time, frontier, batch, limit: most },
        ...(doubts && { doubts }),
        ...(region.leaves && {
          start: region.leaves.map(({ row, cuts }) => ({ index: region.rows.indexOf(row), cuts })),
        }),
        ...(record && { onProven: (index, leaf) => record(region.rows[index], leaf) }),
      });
    };
    let result = await tree(limit);
    const parts =
      result.kind !== 'open' || result.reason !== 'limit'
        ? undefined
        : region.level + 1 < levels.length
          ? [harder(region, own, result)]
          : divide(region, own, problem, result);
    // Where no neuron of the root costs anything there is nothing to divide by: the tree goes on without a limit.
    if (result.kind === 'open' && result.reason === 'limit' && parts === undefined)
      result = await tree(Number.POSITIVE_INFINITY);
    if (result.kind === 'witness') return { ...result, regions };
    if (result.kind === 'proven') {
      margin = Math.min(margin, result.margin);
      branched ||= result.branched || regions > 1;
      continue;
    }
    const giveUp = (reason: 'time' | 'memory' | 'stuck'): SearchResult => ({
      kind: 'open',
      reason,
      margin: open.reduce((least, other) => Math.min(least, other.margin), result.margin),
      regions,
      ...(reason !== 'stuck' && {
        checkpoint: {
          regions: [...open.map(openRegion), stopped(region, result)],
          ...(Number.isFinite(Math.min(margin, result.proven)) && { proven: Math.min(margin, result.proven) }),
        },
      }),
    });
    if (result.reason !== 'limit') return giveUp(result.reason);
    margin = Math.min(margin, result.proven);
    if (parts === undefined) return giveUp('stuck');
    open.push(...parts);
  }
  return { kind: 'proven', margin, branched, regions };
}

/** The region at the next level, with what is open of it. */
function harder({ assumed, rows, margin, level }: Region, bounds: readonly LayerBounds[], result: OpenTree): Region {
  return { level: level + 1, assumed, bounds, rows: result.rows.map((i) => rows[i]), margin };
}

/** A region that waits, as a checkpoint lists it. */
function openRegion({ level, assumed, rows, margin, leaves }: Region): OpenRegion {
  return {
    ...{ level, assumed: listed(assumed), rows },
    ...(Number.isFinite(margin) && { margin }),
    ...(leaves && { leaves }),
  };
}

/** A region whose tree has stopped. */
function stopped(region: Region, result: OpenTree): OpenRegion {
  const { rows } = region;
  const leaves = result.leaves().map(({ index, cuts }) => ({ row: rows[index], cuts }));
  return openRegion({ ...region, rows: result.rows.map((i) => rows[i]), margin: result.margin, leaves });
}

/** Bounds that exclude each other: no input of the ball meets the assumptions. */
function isEmpty(bounds: readonly LayerBounds[]): boolean {
  return bounds.some(({ lower, upper }) => lower.some((low, j) => low > upper[j]));
}

/** The two parts of a region by the sign of the neuron whose relaxation costs most; undefined where every neuron is decided. */
function divide(
  { level, assumed, rows }: Region,
  bounds: readonly LayerBounds[],
  problem: Problem,
  { gaps, rows: open, margin }: OpenTree,
): [Region, Region] | undefined {
  let best = -1;
  for (const [i, gap] of gaps.entries())
    if (problem.splits[i] === 0 && gap > 0 && (best < 0 || gap > gaps[best])) best = i;
  if (best < 0) return undefined;
  const layer = problem.offsets.findLastIndex((offset) => offset <= best);
  const neuron = problem.layers[layer].alive[best - problem.offsets[layer]];
  const part = (sign: 1 | -1): Region => ({
    level,
    assumed: assumed.map((known, k) => (k === layer ? new Map([...known, [neuron, sign]]) : known)),
    bounds,
    rows: open.map((i) => rows[i]),
    margin,
  });
  return [part(1), part(-1)];
}
