import type { Lend } from '../buffers';
import type { NodeBounds } from '../forward-pass';
import { errorInflation } from '../relaxation';
import { above, below, unitRoundoff } from '../rounding';
import type { NeuronLists } from './lists';

/**
 * The relaxation of one layer of G balls as emitChain reads it, [G, columns] each. A row's coefficient on neuron i arrives as q, times the upper
 * line's slope, because the weights before are stored with it (`scale`); with p = max(q, 0) the line that bounds the neuron is
 *
 *   (q + ratio p) z + (shift (q + ratio p) + bend p)
 *
 * with the bias of z, or its value at the centre of the box, in the constants. For q < 0 that is the chord, of slope `scale`; for q > 0 the lower line, of
 * slope 0 (ratio -1) or 1. So one product by columns serves both sides, and most of the constants go through the product that follows.
 */
export interface ScaledLines {
  readonly scale: Float32Array;
  readonly ratio: Float32Array;
  readonly shift: Float32Array;
  readonly bend: Float32Array;
}

/** Upper slopes are at least this much, so that coefficients times slopes keep their digits: any slope in [0, 1] makes an upper line. */
export const leastSlope = 2 ** -24;

/** Of a coefficient, more than the roundings of the weights with the slope, of the lower line's slope, its product and the sum. */
const slopeRoundings = 6 * unitRoundoff;

/**
 * CROWN's lines (relaxation.ts) for the listed neurons; 0 for padding, and for the last column, the row's constant, what lets it pass.
 *
 * @param bounds [balls of the chunk, size]
 * @param base biases [size], or values at the centres [balls of the chunk, size]
 * @param g gamma of the terms that a row's constant adds up from here on
 */
export function scaledLines(
  bounds: NodeBounds,
  base: Float32Array,
  balls: readonly number[],
  { list, count, size }: NeuronLists,
  columns: number,
  g: number,
  lend: Lend,
): ScaledLines {
  const total = balls.length * columns;
  const lines = {
    scale: lend(total).fill(0),
    ratio: lend(total).fill(0),
    shift: lend(total).fill(0),
    bend: lend(total).fill(0),
  };
  const isShared = base.length === size;
  for (let b = 0; b < balls.length; b++) {
    const start = balls[b] * size;
    const from = b * size;
    const to = b * columns;
    for (let n = 0; n < count[b]; n++) {
      const j = list[from + n];
      const i = start + j;
      setLine(lines, to + n, bounds, i, base, isShared ? j : i, g);
    }
    lines.scale[to + columns - 1] = 1;
    lines.shift[to + columns - 1] = 1;
  }
  return lines;
}

/**
 * Sets the line of place `i` of the bounds, with place `j` of the base. Why it holds with all roundings: docs/soundness.md, "Scaled lines". Numbers are read from
 * arrays here because those that are handed over would be allocated each.
 */
export function setLine(
  { scale, ratio, shift, bend }: ScaledLines,
  at: number,
  { lower, upper, error }: Pick<NodeBounds, 'lower' | 'upper' | 'error'>,
  i: number,
  bases: Float32Array,
  j: number,
  g: number,
): void {
  const l = lower[i];
  const u = upper[i];
  const base = bases[j];
  const ofBase = 1.1 * g * Math.abs(base);
  const own = error[i] * (1 + 4 * g);
  if (l >= 0) {
    const e = (own + ofBase) * errorInflation;
    const up = above(base + e);
    scale[at] = 1;
    ratio[at] = 0;
    shift[at] = up;
    bend[at] = below(base - e - up);
    return;
  }
  // NaN stays NaN.
  const slope = Math.fround(Math.max(u / (u - l), leastSlope));
  // At least the chord's intercept max(-slope l, (1 - slope) u), per unit of its slope: that is -l but for the slope's rounding.
  const rise = (u - l) * 2 * unitRoundoff - l;
  const ofSlope = slopeRoundings * Math.max(u, rise);
  const e = (own + ofBase + 1.1 * g * rise + ofSlope) * errorInflation;
  const up = above(base + rise + e);
  scale[at] = slope;
  shift[at] = up;
  if (u > -l) {
    const down = base - up;
    const lost = Math.abs(down) * slopeRoundings + (own + ofBase + 2.2 * g * rise + ofSlope) * errorInflation;
    const inverse = 1 / slope;
    ratio[at] = inverse - 1;
    bend[at] = below((down - lost) * inverse);
  } else {
    ratio[at] = -1;
    bend[at] = 0;
  }
}
