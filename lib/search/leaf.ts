import loadHighs, { type Highs } from 'highs';
import { inputBlock } from './blocks';
import type { Problem } from './problem';
import type { SubProblem } from './sub-problem';

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
  const values = affineValues(problem, leaf);
  const objective = objectiveOf(problem, leaf, values);
  const scale = objective.reduce((most, c) => Math.max(most, Math.abs(c)), 1);
  const constraints = constraintsOf(leaf);
  const text = [
    'Minimize',
    ` obj: ${terms(objective)} ${constraints.map((_, n) => `+ ${penalty * scale} s${n}`).join(' ')}`,
    'Subject To',
    ...constraints.map(({ neuron, sign, at }, n) => {
      const { constant, row } = values[neuron];
      return ` c${n}: ${terms(row.map((w) => sign * w))} + s${n} >= ${sign * (at - constant)}`;
    }),
    'Bounds',
    ...Array.from(objective, (_, i) => ` -1 <= e${i} <= 1`),
    'End',
  ].join('\n');
  const solution = solved(highs, text);
  if (solution?.Status !== 'Optimal') return undefined;
  const beta = new Float32Array(leaf.splits.length);
  for (const [n, { neuron, sign }] of constraints.entries()) {
    const row = solution.Rows[n];
    const dual = 'Dual' in row ? Math.max(0, row.Dual) : 0;
    beta[neuron] += leaf.splits[neuron] === 0 ? -sign * dual : dual;
  }
  const corner = Float32Array.from(objective, (_, i) => solution.Columns[`e${i}`]?.Primal ?? 0);
  return { beta, corner };
}

/** sign * (z - at) >= 0 */
interface Constraint {
  readonly neuron: number;
  readonly sign: 1 | -1;
  readonly at: number;
}

/** What is assumed of a leaf: the signs of split neurons, the bounds of those that are cut. */
function constraintsOf({ splits, narrowed }: SubProblem): Constraint[] {
  const signs = [...splits.keys()].filter((i) => splits[i] !== 0);
  const cut = (neuron: number): Constraint[] => [
    { neuron, sign: 1, at: narrowed!.lower[neuron] },
    { neuron, sign: -1, at: narrowed!.upper[neuron] },
  ];
  return [
    ...signs.map((neuron): Constraint => ({ neuron, sign: splits[neuron] > 0 ? 1 : -1, at: 0 })),
    ...(narrowed?.cut ?? []).flatMap(cut),
  ];
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
function affineValues({ layers, inputSize, offsets }: Problem, { splits, narrowed }: SubProblem): Affine[] {
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
          const low = narrowed ? narrowed.lower[source] : layers[from].lower[c];
          const isActive = splits[source] > 0 || (splits[source] === 0 && low >= 0);
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
  { row, splits, narrowed }: SubProblem,
  values: Affine[],
): Float64Array {
  const objective = new Float64Array(inputSize);
  if (row.input) objective.set(row.input);
  for (const [k, { size, lower }] of layers.entries()) {
    const coefficients = row.coefficients[k];
    if (coefficients === undefined) continue;
    for (let r = 0; r < size; r++) {
      const split = splits[offsets[k] + r];
      const low = narrowed ? narrowed.lower[offsets[k] + r] : lower[r];
      if (split < 0 || (split === 0 && low < 0)) continue;
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
