import loadHighs, { type Highs, type HighsOptions } from 'highs';
import type { Box } from '../../lib/region/box';
import type { Affine } from './affine-forms';

let solver: Promise<Highs> | undefined;

interface Program {
  /** What is minimised; its constant counts. */
  readonly objective: Affine;
  /** Each must be >= 0. */
  readonly constraints: readonly Affine[];
  /** Bounds of the variables. */
  readonly box: Box;
  /** Variables that must be 0 or 1. */
  readonly binaries?: readonly number[];
}

/** As exact as HiGHS can be asked to be. */
const options: HighsOptions = {
  output_flag: false,
  primal_feasibility_tolerance: 1e-10,
  dual_feasibility_tolerance: 1e-10,
  // With 1e-10 it has called a point optimal that is not.
  mip_feasibility_tolerance: 1e-9,
  mip_rel_gap: 0,
  mip_abs_gap: 0,
};

/** Minimum and minimiser; undefined where nothing meets the constraints. */
export async function minimise(
  program: Program,
): Promise<{ readonly value: number; readonly point: Float64Array } | undefined> {
  solver ??= loadHighs();
  const solution = (await solver).solve(inLpFormat(program), options);
  if (solution.Status !== 'Optimal') {
    if (solution.Status === 'Infeasible') return undefined;
    throw new Error(`HiGHS: ${solution.Status}`);
  }
  const point = Float64Array.from(program.box.lower, (_, i) => solution.Columns[`x${i}`].Primal ?? Number.NaN);
  return { value: solution.ObjectiveValue + program.objective[0], point };
}

/** The LP format of CPLEX. */
function inLpFormat({ objective, constraints, box: { lower, upper }, binaries = [] }: Program): string {
  const terms = (affine: Affine): string =>
    Array.from(affine.subarray(1), (c, i) =>
      c === 0 && i > 0 ? '' : `${c < 0 ? '-' : '+'} ${Math.abs(c)} x${i}`,
    ).join(' ');
  return [
    'Minimize',
    ` obj: ${terms(objective)}`,
    'Subject To',
    ...constraints.map((affine, k) => ` c${k}: ${terms(affine)} >= ${-affine[0]}`),
    'Bounds',
    ...Array.from(lower, (low, i) => ` ${low} <= x${i} <= ${upper[i]}`),
    ...(binaries.length > 0 ? ['Binary', ...binaries.map((i) => ` x${i}`)] : []),
    'End',
  ].join('\n');
}
