import type { HalfSpace, Violation } from '../region/violation';

/** Rows of violations that are in use: all balls of a label ask for the same, and read them from the cache when they share them. */
const rowsOf = new WeakMap<Violation, readonly HalfSpace[]>();

/**
 * The rows whose lower bounds decide a violation: the negative of each half-space, in order. A half-space c . y + d >= 0 is
 * out of reach where -(c . y + d) > 0 on the whole box; for a misclassification these are the margins y_label - y_k. The same object for the same violation.
 */
export function marginRows(violation: Violation): readonly HalfSpace[] {
  let rows = rowsOf.get(violation);
  if (rows === undefined) {
    rows = violation.flat().map(({ coefficients, offset }) => ({
      coefficients: coefficients.map((c) => -c),
      offset: -offset,
    }));
    rowsOf.set(violation, rows);
  }
  return rows;
}

/**
 * The margin that the bounds of `marginRows` prove: the violation is impossible where it is > 0. Each conjunction needs one of its
 * half-spaces out of reach, and all conjunctions must be impossible. NaN counts as nothing proven. An empty violation, which asks
 * for nothing, has margin Infinity; an empty conjunction, which always holds, -Infinity.
 */
export function provenMargin(violation: Violation, bounds: ArrayLike<number>): number {
  let at = 0;
  let margin = Number.POSITIVE_INFINITY;
  for (const conjunction of violation) {
    let best = Number.NEGATIVE_INFINITY;
    for (const _ of conjunction) {
      const bound = bounds[at++];
      if (bound > best) best = bound;
    }
    margin = Math.min(margin, best);
  }
  return margin;
}
