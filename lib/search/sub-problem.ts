import { roundDown, roundUp } from '../region/outward';
import { inputBlock } from './blocks';
import type { Problem, ProblemRow } from './problem';

/** A sub-problem: one functional of the outputs on a part of the ball. */
export interface SubProblem {
  readonly row: ProblemRow;
  /** Per neuron of the problem: 1 where z >= 0 is assumed, -1 where z <= 0, else 0. */
  readonly splits: Int8Array;
  /**
   * Where the optimisation starts; any values are sound: slopes below, in [0, 1], and multipliers, >= 0 of splits and signed of
   * neurons that are cut.
   */
  readonly alpha: Float32Array;
  readonly beta: Float32Array;
  /** Bounds of the part, where they are narrower than the problem's. */
  readonly narrowed?: Narrowed;
  /** How it was divided from the root of its tree; undefined at the root. */
  readonly path?: Path;
}

/** The last of a sub-problem's cuts, and those before it. */
interface Path extends Candidate {
  readonly sign: 1 | -1;
  readonly before: Path | undefined;
}

/** Pre-activation bounds of every neuron of the problem that hold on a part of the ball, [neurons]. */
export interface Narrowed {
  readonly lower: Float32Array;
  readonly upper: Float32Array;
  /** Neurons whose bounds are assumptions, not consequences: they constrain the part, with a multiplier each. */
  readonly cut: readonly number[];
}

/** Where to divide a sub-problem: z >= at and z <= at. */
export interface Candidate {
  readonly neuron: number;
  readonly at: number;
}

/**
 * The part of a sub-problem where z >= at (sign 1) or z <= at (-1); undefined where no input is in it.
 *
 * At 0 a neuron gets a split. Elsewhere, and in narrow layers, it is cut: its own bound moves, and with it, by interval arithmetic, those
 * of the layers that read only narrow ones. Sound: these bounds hold for every input of the part.
 */
export function childOf(
  problem: Problem,
  parent: SubProblem,
  { neuron, at }: Candidate,
  sign: 1 | -1,
): SubProblem | undefined {
  const layer = problem.offsets.findLastIndex((offset) => offset <= neuron);
  const { row, alpha } = parent;
  const path: Path = { neuron, at, sign, before: parent.path };
  const splits = parent.splits.slice();
  if (!problem.layers[layer].isNarrow) {
    if (at !== 0) throw new RangeError(`neuron ${neuron} is in no narrow layer: it cannot be cut at ${at}`);
    splits[neuron] = sign;
    return { ...parent, splits, path };
  }
  const { lower, upper, cut } = parent.narrowed ?? { ...boundsOf(problem), cut: [] };
  const narrowed = {
    lower: lower.slice(),
    upper: upper.slice(),
    cut: cut.includes(neuron) ? cut : [...cut, neuron],
  };
  // What was assumed before stays: what follows from it is in the other bounds.
  if (sign > 0) narrowed.lower[neuron] = Math.max(at, lower[neuron]);
  else narrowed.upper[neuron] = Math.min(at, upper[neuron]);
  const beta = parent.beta.slice();
  // A split of the region becomes a cut: its multiplier keeps what it stands for.
  if (splits[neuron] !== 0) beta[neuron] *= -splits[neuron];
  splits[neuron] = 0;
  return passOn(problem, layer + 1, narrowed) ? { row, splits, alpha, beta, narrowed, path } : undefined;
}

/** The bounds of all neurons of a problem. */
function boundsOf({ layers, offsets }: Problem): { lower: Float32Array; upper: Float32Array } {
  const lower = new Float32Array(offsets[layers.length]);
  const upper = new Float32Array(lower.length);
  for (const [k, layer] of layers.entries()) {
    lower.set(layer.lower, offsets[k]);
    upper.set(layer.upper, offsets[k]);
  }
  return { lower, upper };
}

/**
 * Narrows the bounds of layers from `first` on that read only narrow layers, by interval arithmetic in float64. The error weight of a
 * neuron, which covers far more roundings of float32, covers those of its weights and of these sums. False where bounds exclude each other.
 */
function passOn({ layers, offsets }: Problem, first: number, { lower, upper }: Narrowed): boolean {
  for (let k = first; k < layers.length; k++) {
    const { weights, size, bias, error } = layers[k];
    if (!weights.every(({ from }) => from !== inputBlock && layers[from].isNarrow)) continue;
    for (let r = 0; r < size; r++) {
      let low = bias[r] - error[r];
      let high = bias[r] + error[r];
      for (const { from, matrix } of weights) {
        const width = layers[from].size;
        for (let c = 0; c < width; c++) {
          const weight = matrix[r * width + c];
          const least = Math.max(0, lower[offsets[from] + c]);
          const most = Math.max(0, upper[offsets[from] + c]);
          low += weight * (weight > 0 ? least : most);
          high += weight * (weight > 0 ? most : least);
        }
      }
      const i = offsets[k] + r;
      if (low > lower[i]) lower[i] = roundDown(low);
      if (high < upper[i]) upper[i] = roundUp(high);
      if (lower[i] > upper[i]) return false;
    }
  }
  return true;
}
