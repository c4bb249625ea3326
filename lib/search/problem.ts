import { errorInflation } from '../bounds/relaxation';
import { float32Magnitude, gamma, tinyError, underflowUnit } from '../bounds/rounding';
import { type Float32Box, roundUp } from '../region/outward';
import { type BlockLayer, type Blocks, inputBlock } from './blocks';

/** Pre-activation bounds of one ball at a ReLU layer, [size]. */
export interface LayerBounds {
  readonly lower: Float32Array;
  readonly upper: Float32Array;
}

/**
 * The network specialised to one ball (docs/engine.md, section 3): neurons that are inactive on all of it are gone from rows and columns, which
 * is exact, and the input is e in [-1, 1]^n with x = centre + radius * e.
 *
 * All matrices are float32, rounded from float64; `error` bounds what that and the arithmetic of a step may change, per unit of the coefficient
 * on a pre-activation (docs/soundness.md, "The search").
 */
export interface Problem {
  readonly layers: readonly ProblemLayer[];
  /** Which step program it takes: whether layers read the input and every layer before. */
  readonly isFolded: boolean;
  /** The number of neurons of the convolution that layer 0 is, where steps take it as one (step-conv.ts). */
  readonly convSize: number | undefined;
  readonly inputSize: number;
  readonly box: Float32Box;
  readonly centre: Float64Array;
  readonly radius: Float64Array;
  /** Bounds of the absolute values of the inputs. */
  readonly reach: Float64Array;
  /** Where each layer starts among all neurons of the problem, and their number at the end. */
  readonly offsets: readonly number[];
  /** Of all neurons of the problem: what is assumed of them from the start. */
  readonly splits: Int8Array;
  /** Absolute slack of every row: underflow. */
  readonly slack: number;
}

export interface ProblemLayer {
  /** Neurons of the layer that are not inactive, ascending. */
  readonly alive: Int32Array;
  readonly size: number;
  /** By source: `inputBlock` or a layer, [size, size of the source] row-major; empty where steps take the layer as a convolution. */
  readonly weights: readonly { readonly from: number; readonly matrix: Float32Array }[];
  readonly bias: Float32Array;
  readonly error: Float32Array;
  readonly lower: Float32Array;
  readonly upper: Float32Array;
  /** Few enough neurons that cutting the range of one narrows the bounds of the next layer. */
  readonly isNarrow: boolean;
  /** Neurons that are active on all of the part and that rows and columns do without (fold.ts), with their upper bounds. */
  readonly folded: { readonly neurons: Int32Array; readonly upper: Float32Array };
}

/** Most neurons of a narrow layer. */
const mostNarrow = 40;

/** One functional of the outputs, carried to the layers that the output reads. */
export interface ProblemRow {
  /** By layer, coefficients on its ReLUs' outputs; undefined where the output does not read it. */
  readonly coefficients: readonly (Float32Array | undefined)[];
  /** Coefficients on e, where the functional reads the input past all ReLUs. */
  readonly input: Float32Array | undefined;
  /** Constant, its rounding error and that of the coefficients already subtracted. */
  readonly constant: number;
}

/** Entries of composed maps are float64 sums over at most some thousands of terms. */
export const compositionError = 2 ** -36;

/** Signs that are assumed of some neurons: per layer, by neuron, 1 where z >= 0, -1 where z <= 0. */
export type Assumptions = readonly ReadonlyMap<number, 1 | -1>[];

/**
 * @param bounds pre-activation bounds on the part of the ball where the assumptions hold
 * @param assumed neurons that stay in the problem, whatever their bounds, so that their constraints can have multipliers
 * @param end the problem of the first so many layers only (by default all)
 */
export function problemOf(
  blocks: Blocks,
  box: Float32Box,
  bounds: readonly LayerBounds[],
  assumed?: Assumptions,
  end = bounds.length,
): Problem {
  const inputSize = box.lower.length;
  const { centre, radius, reach } = inputOf(box);
  const alive = bounds.slice(0, end).map(({ upper }, k) => {
    const isAlive = (j: number): boolean => !(upper[j] <= 0 || blocks.folded?.[k][j]) || assumed?.[k].has(j) === true;
    const own = [...upper.keys()].filter(isAlive);
    // ONNX Runtime's products want at least one.
    return Int32Array.from(own.length > 0 ? own : [0]);
  });
  /** Bounds of the absolute values of each layer's ReLUs. */
  const tops = bounds.map(({ upper }) => upper);
  const convSize = takenAsConv(blocks, alive[0]?.length ?? 0);
  const layers: ProblemLayer[] = [];
  const offsets = [0];
  // A product over the neurons of a layer, the sum over the input at the end, and per layer three constants and an accumulation.
  const g = gamma(Math.max(0, ...alive.map((list) => list.length)) + inputSize + 4 * alive.length + 64);
  let magnitudeSum = reach.reduce((a, b) => a + b, 0);
  for (const [k, own] of alive.entries()) {
    const map = blocks.layers[k];
    const { magnitude, extra } = magnitudes(map, own, reach, tops);
    const { lower, upper } = bounds[k];
    const constants = Float64Array.from(own, (j) => map.bias[j]);
    const weights = map.from.map((from, s) => {
      const rows = own.length;
      if (from === inputBlock) {
        const isConv = k === 0 && convSize !== undefined;
        const matrix = new Float32Array(isConv ? 0 : rows * inputSize);
        for (const [r, j] of own.entries()) {
          const { index, value } = map.rows[s][j];
          for (let i = 0; i < index.length; i++) {
            if (!isConv) matrix[r * inputSize + index[i]] = value[i] * radius[index[i]];
            constants[r] += value[i] * centre[index[i]];
          }
        }
        return { from, matrix };
      }
      return { from, matrix: submatrix(map.rows[s], own, alive[from], blocks.layers[from].bias.length) };
    });
    layers.push({
      alive: own,
      size: own.length,
      weights,
      bias: Float32Array.from(constants),
      error: Float32Array.from(magnitude, (m, r) => roundUp((g * m + extra[r]) * errorInflation + tinyError)),
      lower: Float32Array.from(own, (j) => lower[j]),
      upper: Float32Array.from(own, (j) => upper[j]),
      folded: foldedOf(blocks.folded?.[k], own, upper),
      isNarrow: own.length <= mostNarrow && blocks.layers.some(({ from }, n) => n < alive.length && from.includes(k)),
    });
    magnitudeSum += magnitude.reduce((a, b) => a + b, 0);
    offsets.push(offsets[k] + own.length);
  }
  const terms = inputSize + offsets[offsets.length - 1] + 64;
  const splits = new Int8Array(offsets[offsets.length - 1]);
  for (const [k, { alive: own }] of layers.entries()) {
    for (const [r, j] of own.entries()) splits[offsets[k] + r] = assumed?.[k].get(j) ?? 0;
  }
  return {
    layers,
    isFolded: blocks.folded !== undefined,
    convSize,
    inputSize,
    box,
    centre,
    radius,
    reach,
    offsets,
    splits,
    slack: 8 * underflowUnit * terms * (magnitudeSum + 1),
  };
}

/**
 * Of a convolution steps take as one, all neurons are multiplied by few weights each; as a matrix, those that are left by as many as there are inputs. Of mnist_conv_small, 970 of 2,704 neurons, 9 rows: a fifth
 * of the time; 30 rows: two thirds; as long with a quarter of the neurons and 30 rows.
 */
const leastPart = 1 / 4;

function takenAsConv({ conv, network }: Blocks, alive: number): number | undefined {
  if (conv === undefined) return undefined;
  const { size } = network.nodes[conv];
  return alive >= leastPart * size ? size : undefined;
}

/** Centre and radius of a box, and bounds of the absolute values. */
export function inputOf({ lower, upper }: Float32Box): {
  readonly centre: Float64Array;
  readonly radius: Float64Array;
  readonly reach: Float64Array;
} {
  const [centre, radius, reach] = [0, 1, 2].map(() => new Float64Array(lower.length));
  for (let i = 0; i < lower.length; i++) {
    centre[i] = (lower[i] + upper[i]) / 2;
    radius[i] = ((upper[i] - lower[i]) / 2) * (1 + 2 ** -50);
    reach[i] = Math.abs(centre[i]) + radius[i];
  }
  return { centre, radius, reach };
}

function foldedOf(folded: Uint8Array | undefined, own: Int32Array, upper: Float32Array): ProblemLayer['folded'] {
  const neurons: number[] = [];
  // Both are ascending.
  for (let j = 0, at = 0; folded !== undefined && j < folded.length; j++) {
    if (own[at] === j) at++;
    else if (folded[j] === 1) neurons.push(j);
  }
  return { neurons: Int32Array.from(neurons), upper: Float32Array.from(neurons, (j) => upper[j]) };
}

/** A functional: coefficients by component of a layer's pre-activations (or the outputs), sparse. */
export type Functional = readonly (readonly [component: number, weight: number])[];

/** A functional and a constant. */
export interface AffineFunctional {
  readonly terms: Functional;
  readonly offset: number;
}

/**
 * Carries functionals of layer `end` (by default the outputs) to the layers, and the input, that it reads.
 */
export function problemRows(
  blocks: Blocks,
  problem: Problem,
  functionals: readonly { readonly terms: Functional; readonly offset: number }[],
  bounds: readonly LayerBounds[],
  end = blocks.relus.length,
): ProblemRow[] {
  const map = blocks.layers[end];
  const used = [...new Set(functionals.flatMap(({ terms }) => terms.map(([c]) => c)))];
  const tops = bounds.map(({ upper }) => upper);
  const { magnitude, extra } = magnitudes(map, Int32Array.from(used), problem.reach, tops);
  const { layers, inputSize, offsets } = problem;
  const g = gamma(inputSize + offsets[layers.length] + 4 * layers.length + 64);
  const errors = new Map(used.map((c, i) => [c, (g * magnitude[i] + extra[i]) * errorInflation]));
  /** By source, all 0 between functionals. */
  const sumsOf = map.from.map(
    (from) => new Float64Array(from === inputBlock ? inputSize : blocks.layers[from].bias.length),
  );
  return functionals.map(({ terms, offset }) => {
    let constant = offset;
    let slack = problem.slack + Math.abs(offset) * 2 ** -50;
    for (const [c, weight] of terms) {
      constant += weight * map.bias[c];
      slack += Math.abs(weight) * errors.get(c)!;
    }
    const coefficients = problem.layers.map((): Float32Array | undefined => undefined);
    let input: Float32Array | undefined;
    for (const [s, from] of map.from.entries()) {
      const sums = sumsOf[s];
      for (const [c, weight] of terms) {
        const { index, value } = map.rows[s][c];
        for (let i = 0; i < index.length; i++) sums[index[i]] += weight * value[i];
      }
      if (from === inputBlock) {
        input = new Float32Array(sums.length);
        for (let i = 0; i < sums.length; i++) {
          input[i] = sums[i] * problem.radius[i];
          constant += sums[i] * problem.centre[i];
        }
      } else {
        const { alive } = problem.layers[from];
        const own = new Float32Array(alive.length);
        for (let i = 0; i < own.length; i++) own[i] = sums[alive[i]];
        coefficients[from] = own;
      }
      sums.fill(0);
    }
    return { coefficients, input, constant: constant - slack };
  });
}

/** Slopes that the CROWN relaxation starts from: 1 where the positive part is larger, else 0. */
export function initialSlopes({ layers, offsets }: Problem): Float32Array {
  const slopes = new Float32Array(offsets[layers.length]);
  for (const [k, { lower, upper, size }] of layers.entries()) {
    for (let j = 0; j < size; j++) slopes[offsets[k] + j] = upper[j] > -lower[j] ? 1 : 0;
  }
  return slopes;
}

/** Per row: a bound of the sum of absolute values of its terms, and the error of composed entries. */
function magnitudes(
  map: BlockLayer,
  rows: Int32Array,
  reach: Float64Array,
  tops: readonly Float32Array[],
): { magnitude: Float64Array; extra: Float64Array } {
  const magnitude = Float64Array.from(rows, (j) => map.biasMagnitude[j]);
  const extra = new Float64Array(rows.length);
  for (const [s, from] of map.from.entries()) {
    const values = from === inputBlock ? reach : tops[from];
    for (const [r, j] of rows.entries()) {
      const { index, value } = (map.magnitudes ?? map.rows)[s][j];
      let sum = 0;
      for (let i = 0; i < index.length; i++) {
        const top = values[index[i]];
        // Never-active neurons contribute nothing; NaN stays and proves nothing.
        if (!(top <= 0)) sum += float32Magnitude(value[i]) * top;
      }
      magnitude[r] += sum;
      if (map.magnitudes) extra[r] += compositionError * (sum + map.biasMagnitude[j]);
    }
  }
  if (map.absolute) for (const [r, j] of rows.entries()) extra[r] += compositionError * map.absolute[j];
  return { magnitude, extra };
}

function submatrix(
  rows: readonly { readonly index: Int32Array; readonly value: Float64Array }[],
  chosen: Int32Array,
  columns: Int32Array,
  width: number,
): Float32Array {
  const place = new Int32Array(width).fill(-1);
  for (const [c, j] of columns.entries()) place[j] = c;
  const matrix = new Float32Array(chosen.length * columns.length);
  for (const [r, j] of chosen.entries()) {
    const { index, value } = rows[j];
    for (let i = 0; i < index.length; i++) {
      const c = place[index[i]];
      if (c >= 0) matrix[r * columns.length + c] = value[i];
    }
  }
  return matrix;
}
