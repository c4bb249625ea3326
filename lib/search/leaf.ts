import loadHighs, { type Highs } from 'highs';
import { inputBlock } from './blocks';
import type { SubProblem } from './optimise';
import type { Problem } from './problem';

/**
 * What a linear program says of a sub-problem in which every neuron is decided. Nothing is decided by it: the multipliers are candidates whose
 * bound our own program evaluates, and the point is a candidate witness.
 */
export interface LeafSolution {
  /** Per neuron of the problem, a multiplier >= 0 of its split. */
  readonly beta: Float32Array;
  /** The minimiser, in e of [-1, 1]^n. */
  readonly corner: Float32Array;
}

/** Penalty on violated signs, per unit of the largest coefficient: makes infeasible leaves a program with a large optimum. */
const penalty = 1e3;

let solver: Promise<Highs> | undefined;

/**
 * Minimises the functional over the inputs that have the leaf's signs, by HiGHS. The signs may be violated at a price, so there is always an
 * optimum, and where no input has the signs its multipliers prove so by a bound far above 0. Undefined when HiGHS finds none.
 */
export async function solveLeaf(problem: Problem, leaf: SubProblem): Promise<LeafSolution | undefined> {
  solver ??= loadHighs();
  const highs = await solver;
  const values = affineValues(problem, leaf.splits);
  const objective = objectiveOf(problem, leaf, values);
  const scale = objective.reduce((most, c) => Math.max(most, Math.abs(c)), 1);
  const split = [...leaf.splits.keys()].filter((i) => leaf.splits[i] !== 0);
  const text = [
    'Minimize',
    ` obj: ${terms(objective)} ${split.map((i) => `+ ${penalty * scale} s${i}`).join(' ')}`,
    'Subject To',
    ...split.map((i) => {
      const sign = leaf.splits[i];
      const { constant, row } = values[i];
      return ` c${i}: ${terms(row.map((w) => sign * w))} + s${i} >= ${-sign * constant}`;
    }),
    'Bounds',
    ...Array.from(objective, (_, i) => ` -1 <= e${i} <= 1`),
    'End',
  ].join('\n');
  const solution = solved(highs, text);
  if (solution?.Status !== 'Optimal') return undefined;
  const beta = new Float32Array(leaf.splits.length);
  for (const [n, i] of split.entries()) {
    const row = solution.Rows[n];
    beta[i] = 'Dual' in row ? Math.max(0, row.Dual) : 0;
  }
  const corner = Float32Array.from(objective, (_, i) => solution.Columns[`e${i}`]?.Primal ?? 0);
  return { beta, corner };
}

/** Undefined where HiGHS fails on the program, of very large or very small numbers say; it is loaded afresh then. */
function solved(highs: Highs, text: string): ReturnType<Highs['solve']> | undefined {
  try {
    return highs.solve(text, { output_flag: false });
  } catch {
    solver = undefined;
    return undefined;
  }
}

/** constant + row . e */
interface Affine {
  readonly constant: number;
  readonly row: Float64Array;
}

/** The pre-activation of every neuron of the problem as an affine function of e, when signs are as decided. */
function affineValues({ layers, inputSize, offsets }: Problem, splits: Int8Array): Affine[] {
  const values: Affine[] = [];
  for (const [k, { weights, bias, size }] of layers.entries()) {
    for (let r = 0; r < size; r++) {
      const row = new Float64Array(inputSize);
      let constant = bias[r];
      for (const { from, matrix } of weights) {
        if (from === inputBlock) {
          for (let i = 0; i < inputSize; i++) row[i] += matrix[r * inputSize + i];
          continue;
        }
        const width = layers[from].size;
        for (let c = 0; c < width; c++) {
          const source = offsets[from] + c;
          const isActive = splits[source] > 0 || (splits[source] === 0 && layers[from].lower[c] >= 0);
          const weight = matrix[r * width + c];
          if (!isActive || weight === 0) continue;
          constant += weight * values[source].constant;
          for (let i = 0; i < inputSize; i++) row[i] += weight * values[source].row[i];
        }
      }
      values[offsets[k] + r] = { constant, row };
    }
  }
  return values;
}

function objectiveOf(
  { layers, inputSize, offsets }: Problem,
  { row, splits }: SubProblem,
  values: Affine[],
): Float64Array {
  const objective = new Float64Array(inputSize);
  if (row.input) objective.set(row.input);
  for (const [k, { size, lower }] of layers.entries()) {
    const coefficients = row.coefficients[k];
    if (coefficients === undefined) continue;
    for (let r = 0; r < size; r++) {
      const split = splits[offsets[k] + r];
      if (split < 0 || (split === 0 && lower[r] < 0)) continue;
      for (let i = 0; i < inputSize; i++) objective[i] += coefficients[r] * values[offsets[k] + r].row[i];
    }
  }
  return objective;
}

function terms(row: ArrayLike<number>): string {
  const parts: string[] = [];
  for (let i = 0; i < row.length; i++)
    if (row[i] !== 0) parts.push(`${row[i] < 0 ? '-' : '+'} ${Math.abs(row[i])} e${i}`);
  return parts.length === 0 ? '0 e0' : parts.join(' ');
}
