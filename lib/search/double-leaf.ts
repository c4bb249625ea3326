import loadHighs, { type Highs } from 'highs';
import type { DoubleBound, DoubleBounds, DoubleSubProblem } from './double';
import type { Problem } from './problem';

/** Penalty on violated signs, per unit of the largest coefficient: makes infeasible leaves a program with a large optimum. */
const penalty = 1e3;
/** Entries of the largest program that is worth its text. */
const mostEntries = 1e6;

/** HiGHS at its most exact, and without dropping small coefficients. */
const options = {
  output_flag: false,
  primal_feasibility_tolerance: 1e-10,
  dual_feasibility_tolerance: 1e-10,
  small_matrix_value: 1e-12,
};

let solver: Promise<Highs> | undefined;

/**
 * The float64 bound of a sub-problem in which every neuron is decided, with the multipliers that a linear program over the unrounded weights proposes;
 * `corner` is its minimiser, a candidate witness. As in leaf.ts nothing is decided by HiGHS: any multipliers give a bound that holds. Undefined where it
 * finds no optimum or the program is too large.
 *
 * @param cut neurons whose narrowed bounds are assumptions, and so constrain the inputs
 */
export async function doubleLeaf(
  { radius, centre, layers, offsets }: Problem,
  bounds: DoubleBounds,
  sub: DoubleSubProblem,
  cut: readonly number[] = [],
): Promise<DoubleBound | undefined> {
  const { splits, functional } = sub;
  const constraints = constraintsOf(sub, cut);
  if (constraints.length * radius.length > mostEntries) return undefined;
  solver ??= loadHighs();
  const highs = await solver;
  /** In e of [-1, 1]^n. */
  const scaled = ({ row, constant }: ReturnType<DoubleBounds['affine']>) => ({
    row: row.map((c, i) => c * radius[i]),
    constant: row.reduce((sum, c, i) => sum + c * centre[i], constant),
  });
  const objective = scaled(bounds.affine(layers.length, functional.terms, sub)).row;
  const scale = objective.reduce((most, c) => Math.max(most, Math.abs(c)), 1);
  const rows = constraints.map(({ neuron, sign }) => {
    const layer = offsets.findLastIndex((offset) => offset <= neuron);
    return scaled(bounds.affine(layer, [[layers[layer].alive[neuron - offsets[layer]], sign]], sub));
  });
  const text = [
    'Minimize',
    ` obj: ${terms(objective)} ${rows.map((_, r) => `+ ${penalty * scale} s${r}`).join(' ')}`,
    'Subject To',
    ...rows.map(({ row, constant }, r) => ` c${r}: ${terms(row)} + s${r} >= ${constraints[r].from - constant}`),
    'Bounds',
    ...Array.from(objective, (_, i) => ` -1 <= e${i} <= 1`),
    'End',
  ].join('\n');
  const solution = solved(highs, text);
  if (solution?.Status !== 'Optimal') return undefined;
  const beta = new Float64Array(splits.length);
  for (const [r, { neuron, sign }] of constraints.entries()) {
    const row = solution.Rows[r];
    const dual = 'Dual' in row ? Math.max(0, row.Dual) : 0;
    beta[neuron] += splits[neuron] === 0 ? -sign * dual : dual;
  }
  const corner = Float64Array.from(objective, (_, i) => solution.Columns[`e${i}`]?.Primal ?? 0);
  return { ...bounds.bound({ ...sub, beta }), corner };
}

/** sign * z >= from */
interface Constraint {
  readonly neuron: number;
  readonly sign: 1 | -1;
  readonly from: number;
}

function constraintsOf({ splits, narrowed }: DoubleSubProblem, cut: readonly number[]): Constraint[] {
  const constraints: Constraint[] = [];
  for (const [neuron, split] of splits.entries())
    if (split !== 0) constraints.push({ neuron, sign: split > 0 ? 1 : -1, from: 0 });
  for (const neuron of narrowed ? cut : []) {
    constraints.push({ neuron, sign: 1, from: narrowed!.lower[neuron] });
    constraints.push({ neuron, sign: -1, from: -narrowed!.upper[neuron] });
  }
  return constraints;
}

/** Undefined where HiGHS fails on the program, of very large or very small numbers say; it is loaded afresh then. */
function solved(highs: Highs, text: string): ReturnType<Highs['solve']> | undefined {
  try {
    return highs.solve(text, options);
  } catch {
    solver = undefined;
    return undefined;
  }
}

function terms(row: Float64Array): string {
  const parts: string[] = [];
  for (let i = 0; i < row.length; i++)
    if (row[i] !== 0) parts.push(`${row[i] < 0 ? '-' : '+'} ${Math.abs(row[i])} e${i}`);
  return parts.length === 0 ? '0 e0' : parts.join(' ');
}
