import type * as ort from 'onnxruntime-node';
import type { Network, NodeId } from '../network/network';
import type { Box } from '../region/box';
import { roundedInto } from '../region/outward';
import { fresh, type Lend } from './buffers';
import type { Programs } from './programs';
import { errorInflation } from './relaxation';
import { gamma, underflowUnit } from './rounding';
import { floatTensor } from './sessions';

/** Bounds of one node over all balls of a chunk, each [balls, size], with the segment's error weight. */
export interface NodeBounds {
  readonly lower: Float32Array;
  readonly upper: Float32Array;
  readonly error: Float32Array;
  /** Values at the centres of the sources' boxes. */
  readonly centre: Float32Array;
}

/** Interval steps over the balls of a chunk, segment by segment. */
export interface ForwardPass {
  readonly balls: number;
  /** The boxes, rounded outward, [balls, inputSize]. */
  readonly lower: Float32Array;
  readonly upper: Float32Array;
  /** Interval bounds of the node that a segment ends at; its sources must have been placed. */
  forward(end: NodeId): Promise<NodeBounds>;
  /** Sets the bounds of a ReLU's output from those of what it reads. */
  place(relu: NodeId, bounds: NodeBounds): void;
  /** What underflowing coefficients of one row may change, at most. */
  underflow(ball: number): number;
}

/**
 * @param lend for as long as the pass is in use
 * @param lendBounds for as long as what `forward` returns is
 */
export function forwardPass(
  programs: Programs,
  boxes: readonly Box[],
  lend: Lend = fresh,
  lendBounds: Lend = fresh,
): ForwardPass {
  const { network } = programs;
  const balls = boxes.length;
  const size = network.inputSize;
  const lower = lend(balls * size);
  const upper = lend(balls * size);
  for (const [ball, box] of boxes.entries()) {
    roundedInto(box.lower, lower.subarray(ball * size, (ball + 1) * size), -1);
    roundedInto(box.upper, upper.subarray(ball * size, (ball + 1) * size), 1);
  }
  /** Values that segments start from: the input and the ReLUs' outputs. */
  const sources = new Map<NodeId, { lower: ort.Tensor; upper: ort.Tensor }>();
  sources.set(0, { lower: floatTensor(lower, balls), upper: floatTensor(upper, balls) });
  /** Sum of magnitudes of all nodes, per ball: what underflowing coefficients may multiply. */
  const reach = new Float64Array(balls);
  return {
    balls,
    lower,
    upper,
    async forward(end) {
      const session = await programs.forward(end);
      const feeds: { [name: string]: ort.Tensor } = {};
      for (const id of programs.segment(end).sources) {
        const source = sources.get(id)!;
        feeds[`lower${id}`] = source.lower;
        feeds[`upper${id}`] = source.upper;
      }
      const { size } = network.nodes[end];
      const into = { reach: floatTensor(lend(balls), balls) } as { [name: string]: ort.Tensor };
      for (const name of ['lower', 'upper', 'error', 'centre'])
        into[name] = floatTensor(lendBounds(balls * size), balls);
      const out = await session.run(feeds, into);
      for (let ball = 0; ball < balls; ball++) reach[ball] += out.reach[ball];
      return { lower: out.lower, upper: out.upper, error: out.error, centre: out.centre };
    },
    place(relu, bounds) {
      sources.set(relu, {
        lower: floatTensor(positive(bounds.lower, lend), balls),
        upper: floatTensor(positive(bounds.upper, lend), balls),
      });
    },
    underflow: (ball) =>
      underflowUnit * 4 * (programs.mostTerms + network.nodes.length + 32) * (reach[ball] * errorInflation + 1),
  };
}

/** Centres and radii of the boxes, [balls, inputSize], for the dot products that a backward pass ends with. */
export function dotBox(
  network: Network,
  { lower, upper }: ForwardPass,
  lend: Lend = fresh,
): { readonly centre: Float32Array; readonly radius: Float32Array } {
  const centre = lend(lower.length);
  const radius = new Float64Array(lower.length);
  const g = gamma(network.inputSize + network.nodes.length + 8);
  for (let i = 0; i < centre.length; i++) {
    const c = Math.fround((lower[i] + upper[i]) / 2);
    centre[i] = c;
    // Covers the rounding of the dot products at the input; docs/soundness.md.
    const r = Math.max(upper[i] - c, c - lower[i]) * (1 + g) + g * Math.abs(c);
    // Of a box without bounds nothing is proven.
    radius[i] = Number.isNaN(r) ? Number.POSITIVE_INFINITY : r;
  }
  return { centre, radius: roundedInto(radius, lend(radius.length), 1) };
}

/** ReLU that keeps NaN (overflow), so that nothing is proven from it. */
function positive(values: Float32Array, lend: Lend): Float32Array {
  const out = lend(values.length);
  for (let i = 0; i < values.length; i++) out[i] = values[i] <= 0 ? 0 : values[i];
  return out;
}
