import type { Box } from '../region/box';
import { type Float32Box, inward } from '../region/outward';
import type { HalfSpace, Violation } from '../region/violation';

/** Asks for a point of the box that the network maps into the violation. */
export interface AttackTarget {
  readonly box: Box;
  readonly violation: Violation;
  /** Decides the random starts of this target, whatever else is attacked with it. */
  readonly seed: number;
}

/** How nearly outputs violate: >= 0 exactly where they do (in float64 over the given outputs). */
export function violationValue(conjunction: readonly HalfSpace[], outputs: ArrayLike<number>): number {
  return conjunction.reduce(
    (least, halfSpace) => Math.min(least, halfSpaceValue(halfSpace, outputs)),
    Number.POSITIVE_INFINITY,
  );
}

export function halfSpaceValue({ coefficients, offset }: HalfSpace, outputs: ArrayLike<number>): number {
  let value = offset;
  for (let k = 0; k < coefficients.length; k++) value += coefficients[k] * outputs[k];
  return value;
}

/** Indices of the conjunctions, the most nearly violated first; NaN counts as farthest. */
export function rankConjunctions(violation: Violation, outputs: ArrayLike<number>): number[] {
  const values = violation.map((conjunction) => {
    const value = violationValue(conjunction, outputs);
    return Number.isNaN(value) ? Number.NEGATIVE_INFINITY : value;
  });
  return values.map((_, i) => i).sort((a, b) => values[b] - values[a] || a - b);
}

/** The half-space of a conjunction that is farthest from holding. */
export function hardest(conjunction: readonly HalfSpace[], outputs: ArrayLike<number>): HalfSpace {
  return conjunction.reduce((worst, next) =>
    halfSpaceValue(next, outputs) < halfSpaceValue(worst, outputs) ? next : worst,
  );
}

/** The float32 points of a box, or undefined where there are none: then no float32 input can be a counterexample. */
export function searchBox(box: Box): Float32Box | undefined {
  const inside = inward(box);
  return inside.empty ? undefined : inside;
}
