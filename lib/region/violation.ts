/** The half-space coefficients . y + offset >= 0 over the network's outputs y. */
export interface HalfSpace {
  readonly coefficients: Float64Array;
  readonly offset: number;
}

/**
 * What must not happen, as a disjunction of conjunctions of half-spaces (VNN-LIB states the violation). Comparisons are
 * non-strict: a tie violates.
 */
export type Violation = readonly (readonly HalfSpace[])[];

/** "Some other class scores at least as much as `label`": one half-space y_k - y_label >= 0 per class k != label. */
export function misclassification(label: number, classes: number): Violation {
  const violation: HalfSpace[][] = [];
  for (let k = 0; k < classes; k++) {
    if (k === label) continue;
    const coefficients = new Float64Array(classes);
    coefficients[k] = 1;
    coefficients[label] = -1;
    violation.push([{ coefficients, offset: 0 }]);
  }
  return violation;
}

/** Whether the outputs violate; sums are taken in float64 over the float32 outputs. NaN outputs violate nothing. */
export function violates(violation: Violation, outputs: ArrayLike<number>): boolean {
  return violation.some((conjunction) =>
    conjunction.every(({ coefficients, offset }) => {
      let value = offset;
      for (let k = 0; k < coefficients.length; k++) value += coefficients[k] * outputs[k];
      return value >= 0;
    }),
  );
}

/** Whether every half-space only compares two outputs, y_i >= y_j: true or false alike after any increasing function of all. */
export function comparesOrderOnly(violation: Violation): boolean {
  return violation.flat().every(({ coefficients, offset }) => {
    const [a, b, ...more] = coefficients.filter((value) => value !== 0);
    return offset === 0 && b !== undefined && a === -b && more.length === 0;
  });
}

/** The label whose `misclassification` this is, whatever the order of its disjuncts; undefined for other violations. */
export function labelOf(violation: Violation): number | undefined {
  const beaten = new Set<number>();
  const beating = new Set<number>();
  for (const conjunction of violation) {
    if (conjunction.length !== 1) return undefined;
    const [{ coefficients, offset }] = conjunction;
    const up = coefficients.indexOf(1);
    const down = coefficients.indexOf(-1);
    const others = coefficients.some((value, k) => value !== 0 && k !== up && k !== down);
    if (offset !== 0 || up < 0 || down < 0 || others) return undefined;
    beating.add(up);
    beaten.add(down);
  }
  const [label] = beaten;
  const classes = violation[0]?.[0].coefficients.length ?? 0;
  return beaten.size === 1 && beating.size === classes - 1 ? label : undefined;
}
