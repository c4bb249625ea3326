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
import { type TimeLimit, timeOf } from './time-limit';
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
  /** Where they are spent only in layers with at most so many unstable neurons: how many. */
  readonly widest?: number;
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
  /** The region at the level before, whose tree can go on. */
  readonly earlier?: { readonly region: Region; readonly tree: OpenTree };
  /** Tighter bounds were tried, and did not help: its tree goes on without a limit. */
  readonly splitsOnly?: boolean;
}

/**
 * Share of what is missing to 0, on average over the open functionals, that tighter bounds have to win at the root for a new tree to be worth its beginning:
 * else the tree of the level before goes on. Either covers the region, so this only decides cost.
 */
const worthNewTree = 0.15;

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
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    let region = next;
    regions++;
    const { levels } = options;
    const time = timeOf(options);
    const { tightenSteps, leaves, widest, limit } = levels[region.level];
    const recorder = region.assumed.some(({ size }) => size > 0) ? undefined : options.recorder;
    const own = await tightenBounds(blocks, box, region.bounds, steps.get, {
      steps: tightenSteps,
      ...time,
      assumed: region.assumed,
      leaves: region.splitsOnly ? 0 : leaves,
      ...(widest !== undefined && { widest }),
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
    const { earlier } = region;
    const comparesRoots = leaves > 0 && widest === undefined && earlier !== undefined;
    let result = await tree(region.splitsOnly ? Number.POSITIVE_INFINITY : comparesRoots ? 0 : limit);
    if (comparesRoots && result.kind === 'open' && result.reason === 'limit') {
      if (isWorthNewTree(region, result, earlier)) result = await result.more!(limit);
      else {
        margin = Math.min(margin, result.proven);
        const isLast = region.level + 1 === levels.length;
        region = { ...earlier.region, level: region.level, splitsOnly: isLast };
        result = await earlier.tree.more!(isLast ? Number.POSITIVE_INFINITY : 4 * limit);
      }
    }
    const parts =
      result.kind !== 'open' || result.reason !== 'limit'
        ? undefined
        : region.level + 1 < levels.length
          ? [harder(region, own, result)]
          : divide(region, own, problem, result);
    // Where no neuron of the root costs anything there is nothing to divide by: the tree goes on without a limit.
    if (result.kind === 'open' && result.reason === 'limit' && parts === undefined)
      result = await result.more!(Number.POSITIVE_INFINITY);
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
function harder(region: Region, bounds: readonly LayerBounds[], tree: OpenTree): Region {
  const { earlier: _, ...own } = region;
  const { assumed, rows, margin, level } = own;
  return {
    ...{ level: level + 1, assumed, bounds, rows: tree.rows.map((i) => rows[i]), margin },
    // Where its tree began at leaves, there are no bounds of roots to compare with.
    ...(tree.roots.length === rows.length && { earlier: { region: { ...own, bounds }, tree } }),
  };
}

/** Whether the bounds of a level won enough at the root for a new tree. */
function isWorthNewTree({ rows }: Region, { roots }: OpenTree, earlier: NonNullable<Region['earlier']>): boolean {
  let won = 0;
  for (const [i, row] of rows.entries()) {
    const before = earlier.tree.roots[earlier.region.rows.indexOf(row)];
    won += before < 0 ? Math.min(1, 1 - roots[i] / before) : 1;
  }
  return !(won < worthNewTree * rows.length);
}

/** A region that waits, as a checkpoint lists it. */
function openRegion({ level, assumed, rows, margin, leaves, splitsOnly }: Region): OpenRegion {
  return {
    ...{ level, assumed: listed(assumed), rows },
    ...(Number.isFinite(margin) && { margin }),
    ...(leaves && { leaves }),
    ...(splitsOnly && { splitsOnly }),
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
