import type { Box } from '../region/box';
import type { DoubleBounds, DoubleSubProblem, doubleBounder } from './double';
import { doubleLeaf } from './double-leaf';
import type { AffineFunctional, Problem } from './problem';

/** A sub-problem that float32 has not proven. */
interface Doubtful extends Omit<DoubleSubProblem, 'functional' | 'narrowed'> {
  /** Which of the functionals. */
  readonly index: number;
  /** Its float32 bound. */
  readonly bound: number;
  readonly narrowed?: DoubleSubProblem['narrowed'] & { readonly cut: readonly number[] };
}

/** What float64 says of a sub-problem; `corner`: the minimiser, in e of [-1, 1]^n. */
interface Decision {
  readonly bound: number;
  readonly corner: Float64Array;
}

/** Second opinions, in float64, on sub-problems of one problem. */
export interface Doubts {
  /** The float64 bound; undefined where it could not tell more: float32's is further below 0 than it may have subtracted for rounding. */
  near(sub: Doubtful): number | undefined;
  /** Of a sub-problem in which every neuron is decided and which is still not proven: by a linear program over the unrounded weights. */
  leaf(sub: Doubtful): Promise<Decision>;
}

/** Bounds below minus this, and below this share of the first bound of their functional, are likely far from any rounding error. */
const farBelow = 1e-2;

/**
 * @param bounder of the network
 * @param box exact bounds of the ball
 */
export function doubtsOf(
  bounder: ReturnType<typeof doubleBounder>,
  box: Box,
  problem: Problem,
  functionals: readonly AffineFunctional[],
): Doubts {
  let made: DoubleBounds | undefined;
  /** By functional, how far below 0 rounding alone may have brought a bound: what its last evaluation says, with room. */
  const bands = new Map<number, number>();
  const first = new Map<number, number>();
  const bounds = (): DoubleBounds => {
    made ??= bounder(box, problem);
    return made;
  };
  const evaluate = (sub: Doubtful): Decision => {
    const { bound, corner, floatError } = bounds().bound({ ...sub, functional: functionals[sub.index] });
    bands.set(sub.index, 4 * floatError);
    return { bound, corner };
  };
  return {
    near(sub) {
      if (!first.has(sub.index)) first.set(sub.index, sub.bound);
      const band = bands.get(sub.index) ?? farBelow * Math.max(1, -first.get(sub.index)!);
      if (sub.bound < -band) return undefined;
      return evaluate(sub).bound;
    },
    async leaf(sub) {
      const own = evaluate(sub);
      if (own.bound > 0) return own;
      const functional = functionals[sub.index];
      const solution = await doubleLeaf(problem, bounds(), { ...sub, functional }, sub.narrowed?.cut);
      return solution ? { bound: Math.max(solution.bound, own.bound), corner: solution.corner } : own;
    },
  };
}
