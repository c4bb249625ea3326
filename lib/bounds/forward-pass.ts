import type * as ort from 'onnxruntime-node';
import type { Network, NodeId } from '../network/network';
import type { Box } from '../region/box';
import { fresh, type Lend } from './buffers';
import type { Programs } from './programs';
import { errorInflation } from './relaxation';
import { above, gamma, underflowUnit } from './rounding';
import { floatTensor } from './sessions';

/** Bounds of one node over all balls of a chunk, each [balls, size], with the segment's error weight. */
export interface NodeBounds {
  readonly lower: Float32Array;
  readonly upper: Float32Array;
  readonly error: Float32Array;
  /** Values at the centres of the sources' boxes. */
  readonly centre: Float32Array;
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
  /** Sets the bounds of a ReLU's output from those of what it reads. @param improved whether they are better than those of the interval step */
  place(relu: NodeId, bounds: NodeBounds, improved: boolean): void;
  /** The boxes that interval steps from a source start from; only of sources that were placed. */
  box(source: NodeId): { readonly centre: Float32Array; readonly radius: Float32Array };
  /** How many neurons of a ReLU are not inactive on each ball; only of those that were placed. */
  alive(relu: NodeId): Int32Array;
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
  /** Values that segments start from: the input and the ReLUs' outputs. */
  const sources = new Map<NodeId, { centre: ort.Tensor; radius: ort.Tensor }>();
  sources.set(0, { centre: floatTensor(centre, balls), radius: floatTensor(radius, balls) });
  /** Sources with better bounds than in the earlier pass. */
  const better = new Set<NodeId>();
  const found = new Map<NodeId, NodeBounds>();
  const alive = new Map<NodeId, Int32Array>();
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
      for (const id of ids) {
        const source = sources.get(id)!;
        feeds[`centre${id}`] = source.centre;
        feeds[`radius${id}`] = source.radius;
      }
      const { size } = network.nodes[end];
      const into = { reach: floatTensor(lend(balls), balls) } as { [name: string]: ort.Tensor };
      for (const name of ['lower', 'upper', 'error', 'centre'])
        into[name] = floatTensor(lendBounds(balls * size), balls);
      const out = await session.run(feeds, into);
      // Better bounds have no larger magnitudes.
      if (known === undefined) for (let ball = 0; ball < balls; ball++) reach[ball] += out.reach[ball];
      const bounds = { lower: out.lower, upper: out.upper, error: out.error, centre: out.centre };
      if (before !== undefined) keepBetter(bounds, before);
      found.set(end, bounds);
      return bounds;
    },
    place(relu, bounds, improved) {
      const node = network.nodes[relu];
      const from = node.kind === 'relu' ? programs.segment(node.from).sources : [];
      if (improved || from.some((id) => better.has(id))) better.add(relu);
      const count = bounds.lower.length;
      const values = { centre: lend(count), radius: lend(count), alive: new Int32Array(balls) };
      rectified(bounds, node.size, values);
      alive.set(relu, values.alive);
      sources.set(relu, { centre: floatTensor(values.centre, balls), radius: floatTensor(values.radius, balls) });
    },
    box(source) {
      const { centre, radius } = sources.get(source)!;
      return { centre: centre.data as Float32Array, radius: radius.data as Float32Array };
    },
    alive: (relu) => alive.get(relu)!,
    underflow: (ball) =>
      underflowUnit * 4 * (programs.mostTerms + network.nodes.length + 32) * (reach[ball] * errorInflation + 1),
    known: (kept) => ({
      bounds: new Map(
        [...found].map(([id, { lower, upper, error, centre }]) => {
          const rows = (table: Float32Array): Float32Array => rowsOf(table, kept, balls);
          return [id, { lower: rows(lower), upper: rows(upper), error: rows(error), centre: rows(centre) }];
        }),
      ),
      reach: Float64Array.from(kept, (ball) => reach[ball]),
    }),
  };
}

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

/** Centres of the boxes, and radii about them, rounded up. Throws RangeError for a NaN bound, of which nothing could be proven. */
function centred(boxes: readonly Box[], size: number, lend: Lend): Pick<ForwardPass, 'centre' | 'radius'> {
  const centre = lend(boxes.length * size);
  const radius = lend(boxes.length * size);
  let at = 0;
  for (const { lower, upper } of boxes) {
    for (let i = 0; i < size; i++, at++) {
      const low = lower[i];
      const high = upper[i];
      const middle = (low + high) * 0.5;
      const c = Math.fround(middle);
      // At least both distances from c.
      const r = above((high - low) * 0.5 + Math.abs(middle - c));
      centre[at] = c;
      radius[at] = r;
      // Only an unbounded box has no such radius.
      if (!(r < Number.POSITIVE_INFINITY)) {
        if (Number.isNaN(low) || Number.isNaN(high)) throw new RangeError(`bound ${i} of the box is NaN`);
        radius[at] = Number.POSITIVE_INFINITY;
      }
    }
  }
  return { centre, radius };
}

/** Centre and radius of a ReLU's output, and how many of each ball's neurons are not inactive; NaN (overflow) stays, so that nothing is proven from it. */
function rectified(
  { lower, upper }: NodeBounds,
  size: number,
  to: { readonly centre: Float32Array; readonly radius: Float32Array; readonly alive: Int32Array },
): void {
  const { centre, radius, alive } = to;
  for (let ball = 0, i = 0; ball < alive.length; ball++) {
    let count = 0;
    for (const end = i + size; i < end; i++) {
      const high = upper[i];
      if (high <= 0) {
        centre[i] = radius[i] = 0;
        continue;
      }
      const low = lower[i] <= 0 ? 0 : lower[i];
      centre[i] = (low + high) * 0.5;
      radius[i] = (high - low) * 0.5;
      count++;
    }
    alive[ball] = count;
  }
}

/** Additions that a row's constant takes part in, besides the sum that each term is: at most three a node, and some at the end. */
export function additionsOf({ nodes }: Network): number {
  return 3 * nodes.length + 32;
}

/** Centres and radii of the boxes of a source, for the dot products that a backward pass ends with: of all balls, or of those in `order`, [order.length, size]. */
export function dotBox(
  network: Network,
  pass: Pick<ForwardPass, 'box'>,
  lend: Lend = fresh,
  source: NodeId = 0,
  order?: readonly number[],
): { readonly centre: Float32Array; readonly radius: Float32Array } {
  const { size } = network.nodes[source];
  const box = pass.box(source);
  const centre = order ? lend(order.length * size) : box.centre;
  const radius = lend(centre.length);
  const g = gamma(size + additionsOf(network));
  for (let place = 0; place * size < centre.length; place++) {
    const start = (order ? order[place] : place) * size;
    if (order) centre.set(box.centre.subarray(start, start + size), place * size);
    for (let i = start, at = place * size; i < start + size; i++, at++) {
      const r = box.radius[i];
      const c = box.centre[i];
      // Of inactive neurons, which are many.
      if (r === 0 && c === 0) {
        radius[at] = 0;
        continue;
      }
      // Covers the rounding of the dot products at the input; docs/soundness.md.
      const enlarged = above(r * (1 + g) + g * Math.abs(c));
      // Of a box without bounds nothing is proven.
      radius[at] = Number.isNaN(enlarged) ? Number.POSITIVE_INFINITY : enlarged;
    }
  }
  return { centre, radius };
}
