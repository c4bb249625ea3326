import type * as ort from 'onnxruntime-node';
import type { NodeId } from '../network/network';
import type { Box } from '../region/box';
import { fresh, type Lend } from './buffers';
import type { Programs } from './programs';
import { errorInflation } from './relaxation';
import { above, underflowUnit } from './rounding';
import { floatTensor } from './sessions';
import { boxNames } from './source-box';

/** Bounds of one node over all balls of a chunk, each [balls, size], with the segment's error weight. */
export interface NodeBounds {
  readonly lower: Float32Array;
  readonly upper: Float32Array;
  readonly error: Float32Array;
  /** Values at the centres of the sources' boxes, where `programs.needsCentre` says so. */
  readonly centre?: Float32Array;
}

/** What an earlier pass found of the same boxes, in the same order. */
export interface Known {
  /** Proven bounds of a node that a segment ends at; may be changed. */
  readonly bounds: ReadonlyMap<NodeId, NodeBounds>;
  /** Sum of magnitudes of all nodes, per ball. */
  readonly reach: Float64Array;
}

/** Interval steps over the balls of a chunk, segment by segment. */
export interface ForwardPass {
  readonly balls: number;
  /** The boxes, [balls, inputSize]: centre +- radius contains them but for 2^-53 of the centre, which the error weights hold many times. A box without bounds has an infinite radius: of it nothing is proven. */
  readonly centre: Float32Array;
  readonly radius: Float32Array;
  /** Interval bounds of the node that a segment ends at; its sources must have been placed. */
  forward(end: NodeId): Promise<NodeBounds>;
  /** Sets the bounds of what a ReLU reads, which are final. @param improved whether they are better than those of the interval step */
  place(relu: NodeId, bounds: NodeBounds, improved: boolean): void;
  /** What underflowing coefficients of one row may change, at most. */
  underflow(ball: number): number;
  /** What was found, of some of the balls, in arrays of its own. */
  known(balls: readonly number[]): Known;
}

/**
 * @param lend for as long as the pass is in use
 * @param lendBounds for as long as what `forward` returns is
 * @param known of an earlier pass; an interval step from bounds that are the same as there is not repeated
 */
export function forwardPass(
  programs: Programs,
  boxes: readonly Box[],
  lend: Lend = fresh,
  lendBounds: Lend = fresh,
  known?: Known,
): ForwardPass {
  const { network } = programs;
  const balls = boxes.length;
  const { centre, radius } = centred(boxes, network.inputSize, lend);
  /** What segments start from, by input name: the box of the input, and bounds of what ReLUs read. */
  const sources: { [name: string]: ort.Tensor } = {
    centre0: floatTensor(centre, balls),
    radius0: floatTensor(radius, balls),
  };
  /** Sources with better bounds than in the earlier pass. */
  const better = new Set<NodeId>();
  const found = new Map<NodeId, NodeBounds>();
  /** What underflowing coefficients may multiply. */
  const reach = known?.reach ?? new Float64Array(balls);
  return {
    balls,
    centre,
    radius,
    async forward(end) {
      const ids = programs.segment(end).sources;
      const before = known?.bounds.get(end);
      if (before !== undefined && !ids.some((id) => better.has(id))) {
        found.set(end, before);
        return before;
      }
      const session = await programs.forward(end);
      const feeds: { [name: string]: ort.Tensor } = {};
      for (const id of ids) for (const name of boxNames(network, id)) feeds[name] = sources[name];
      const { size } = network.nodes[end];
      const into: { [name: string]: ort.Tensor } = { reach: floatTensor(lend(balls), balls) };
      const tables = programs.needsCentre(end) ? [...ofBounds, 'centre'] : ofBounds;
      for (const name of tables) into[name] = floatTensor(lendBounds(balls * size), balls);
      const { reach: magnitudes, lower, upper, error, centre } = await session.run(feeds, into);
      // Better bounds have no larger magnitudes.
      if (known === undefined) for (let ball = 0; ball < balls; ball++) reach[ball] += magnitudes[ball];
      const bounds: NodeBounds = { lower, upper, error, centre };
      if (before !== undefined) keepBetter(bounds, before);
      found.set(end, bounds);
      return bounds;
    },
    place(relu, bounds, improved) {
      const node = network.nodes[relu];
      const from = node.kind === 'relu' ? programs.segment(node.from).sources : [];
      if (improved || from.some((id) => better.has(id))) better.add(relu);
      const [lower, upper] = boxNames(network, relu);
      sources[lower] = floatTensor(bounds.lower, balls);
      sources[upper] = floatTensor(bounds.upper, balls);
    },
    underflow: (ball) =>
      underflowUnit * 4 * (programs.mostTerms + network.nodes.length + 32) * (reach[ball] * errorInflation + 1),
    known: (kept) => ({
      bounds: new Map(
        [...found].map(([id, { lower, upper, error, centre }]) => {
          const rows = (table: Float32Array): Float32Array => rowsOf(table, kept, balls);
          return [id, { lower: rows(lower), upper: rows(upper), error: rows(error), centre: centre && rows(centre) }];
        }),
      ),
      reach: Float64Array.from(kept, (ball) => reach[ball]),
    }),
  };
}

/** Tables of every interval step. */
const ofBounds: readonly string[] = ['lower', 'upper', 'error'];

/** Keeps the better of both bounds; each holds by itself. */
function keepBetter(
  { lower, upper }: { readonly lower: Float32Array; readonly upper: Float32Array },
  other: { readonly lower: Float32Array; readonly upper: Float32Array },
): void {
  for (let i = 0; i < lower.length; i++) {
    // Comparisons with NaN are false.
    if (other.lower[i] > lower[i]) lower[i] = other.lower[i];
    if (other.upper[i] < upper[i]) upper[i] = other.upper[i];
  }
}

/** Some rows of a table, in a new array. */
function rowsOf(table: Float32Array, kept: readonly number[], rows: number): Float32Array {
  const size = table.length / rows;
  const own = new Float32Array(kept.length * size);
  for (const [to, from] of kept.entries()) own.set(table.subarray(from * size, (from + 1) * size), to * size);
  return own;
}

/** Of larger ones nothing is proven: close to what float32 can hold. */
const largestRadius = 2 ** 127;

/** Centres of the boxes, and radii about them, rounded up. Throws RangeError for a NaN bound, of which nothing could be proven. */
function centred(boxes: readonly Box[], size: number, lend: Lend): Pick<ForwardPass, 'centre' | 'radius'> {
  const centre = lend(boxes.length * size);
  const radius = lend(boxes.length * size);
  for (let b = 0; b < boxes.length; b++) {
    const box = boxes[b];
    const start = (b * size) | 0;
    let isBounded = true;
    let i = 0;
    // Conversions to float32 in a loop over one input wait for those of the input before: four at a time take a quarter less.
    for (; i + 3 < size; i += 4) {
      const at = start + i;
      const first = centreOne(box, i, centre, radius, at);
      const second = centreOne(box, i + 1, centre, radius, at + 1);
      const third = centreOne(box, i + 2, centre, radius, at + 2);
      const fourth = centreOne(box, i + 3, centre, radius, at + 3);
      if (!(first && second && third && fourth)) isBounded = false;
    }
    for (; i < size; i++) if (!centreOne(box, i, centre, radius, start + i)) isBounded = false;
    if (!isBounded) leaveUnbounded(box, radius.subarray(start, start + size));
  }
  return { centre, radius };
}

/** Sets centre and radius of one input, and tells whether it has bounds. */
function centreOne({ lower, upper }: Box, i: number, centre: Float32Array, radius: Float32Array, at: number): boolean {
  const low = lower[i];
  const high = upper[i];
  const middle = (low + high) * 0.5;
  const c = Math.fround(middle);
  // At least both distances from c.
  const r = (high - low) * 0.5 + Math.abs(middle - c);
  centre[at] = c;
  radius[at] = above(r);
  return r <= largestRadius;
}

/** Infinite radii where the box has no finite one. @param radius as computed, infinite or NaN there */
function leaveUnbounded({ lower, upper }: Box, radius: Float32Array): void {
  for (let i = 0; i < radius.length; i++) {
    if (Number.isNaN(lower[i]) || Number.isNaN(upper[i])) throw new RangeError(`bound ${i} of the box is NaN`);
    if (!(radius[i] <= largestRadius)) radius[i] = Number.POSITIVE_INFINITY;
  }
}
