import {
  type ArmBelief,
  armSizes,
  beliefs,
  expectedFromNeighbours,
  fullPull,
  logVelocity,
  type Posterior,
  type Pull,
  prior,
  refinementCost,
  squaresAround,
} from './bandit';

/** What is known of one arm of one label. */
interface Cell {
  readonly pulls: number;
  /** How many full pulls its balls are. */
  readonly weight: number;
  /** Log velocity of all its balls together. */
  readonly mean: number;
  /** Of the pulls' log velocities around `mean`. */
  readonly squares: number;
}

/** A common shape of log velocity over the arms, with how many pulls each arm's value rests on. */
interface Shape {
  readonly means: readonly number[];
  readonly weights: readonly number[];
}

/** The bandit's key for the first attempts at the balls of one label, beside the `key` of their radius. */
export function labelKey(key: string, label: number): string {
  return `${key} label ${label}`;
}

/** Steps in which the common shape and the labels' offsets are fitted in turn; both are means, a few steps settle them. */
const fittingSteps = 8;

/** Labels are taken to deviate by 0.2 (a factor of 1.2), as far as they do not tell otherwise: one arm's worth of evidence. */
const deviation = 0.04;

/**
 * What is believed of every arm, label by label, for the balls of a radius: a hierarchical model. Labels differ in how hard they are, and
 * may differ in which sizes suit them:
 *
 *   log velocity (label, size) = shape (size) + offset (label) + deviation (label, size).
 *
 * For each label the shape is fitted to the *other* labels' pulls, with the offset of each taken off; how far labels deviate from it is
 * estimated from all of them (empirical Bayes). That is the prior of the label's arms, to which its own pulls are added. So a label without
 * pulls is believed to be like the others where these agree, and one with many goes its own way.
 *
 * Pulls of a label hold few balls as long as the run is small: an arm counts with the velocity of all its balls together, as many pulls as
 * they would fill.
 */
export function labelBeliefs(posterior: Posterior, key: string): (label: number) => ArmBelief[] {
  const prefix = labelKey(key, 0).slice(0, -1);
  const known = Object.keys(posterior.keys).filter((name) => name.startsWith(prefix));
  if (known.length === 0) {
    const ofRadius = beliefs(posterior, key);
    return () => ofRadius;
  }
  const cost = refinementCost(posterior, key);
  const cells = new Map(known.map((name) => [name, cellsOf(posterior.keys[name].arms, cost)]));
  const scatter = scatterOf([...cells.values()]);
  const variance = scatter.b / scatter.a;
  const offsets = fitOffsets(cells);
  const shapeFor = (name: string): Shape =>
    shapeOf(
      [...cells].filter(([other]) => other !== name),
      offsets,
    );
  const shapes = new Map(known.map((name) => [name, shapeFor(name)]));
  const common = shapeFor('');
  const labelK = variance / deviationOf(cells, shapes, variance);
  return (label) => {
    const name = labelKey(key, label);
    return believed(cells.get(name) ?? unknown, shapes.get(name) ?? common, labelK, scatter);
  };
}

const unknown: readonly Cell[] = armSizes.map(() => ({ pulls: 0, weight: 0, mean: 0, squares: 0 }));

function cellsOf(arms: Posterior['keys'][string]['arms'], cost: number | undefined): readonly Cell[] {
  return armSizes.map((size, arm) => {
    const pulls = arms[size] ?? [];
    if (pulls.length === 0) return unknown[arm];
    const sum = (of: (pull: Pull) => number): number => pulls.reduce((total, pull) => total + of(pull), 0);
    const [balls, settled] = [sum((pull) => pull.balls), sum((pull) => pull.settled)];
    const mean = logVelocity({ balls, settled, cpuSeconds: sum((pull) => pull.cpuSeconds) }, cost);
    const logs = pulls.map((pull) => logVelocity(pull, cost));
    return {
      pulls: pulls.length,
      weight: Math.min(pulls.length, balls / fullPull),
      mean,
      squares: squaresAround(logs, mean),
    };
  });
}

/** The inverse-gamma posterior of the variance of equal pulls, from the scatter within the arms of all labels. */
function scatterOf(labels: readonly (readonly Cell[])[]): { readonly a: number; readonly b: number } {
  let { a, b } = prior;
  for (const { squares, weight, pulls } of labels.flat()) {
    if (pulls < 2) continue;
    // Pulls of few balls scatter more than full ones: they count by their weight.
    a += (weight * (pulls - 1)) / pulls / 2;
    b += (squares * weight) / pulls / 2;
  }
  return { a, b };
}

/** How much faster or slower each label is than the common shape, in log velocity. */
function fitOffsets(cells: ReadonlyMap<string, readonly Cell[]>): Map<string, number> {
  let offsets = new Map([...cells.keys()].map((name) => [name, 0]));
  for (let step = 0; step < fittingSteps; step++) {
    const { means } = shapeOf([...cells], offsets);
    offsets = new Map([...cells].map(([name, arms]) => [name, offsetOf(arms, means)]));
  }
  return offsets;
}

function offsetOf(arms: readonly Cell[], means: readonly number[]): number {
  const weight = arms.reduce((sum, cell) => sum + cell.weight, 0);
  return weight === 0 ? 0 : arms.reduce((sum, cell, arm) => sum + cell.weight * (cell.mean - means[arm]), 0) / weight;
}

/** The mean over labels of each arm, offsets taken off; of an arm that none has pulled what its neighbours suggest. */
function shapeOf(
  labels: readonly (readonly [name: string, arms: readonly Cell[]])[],
  offsets: ReadonlyMap<string, number>,
): Shape {
  const seen = armSizes.map((_, arm) => {
    let [weight, sum] = [0, 0];
    for (const [name, arms] of labels) {
      weight += arms[arm].weight;
      sum += arms[arm].weight * (arms[arm].mean - (offsets.get(name) ?? 0));
    }
    return { weight, mean: weight === 0 ? 0 : sum / weight };
  });
  return {
    means: seen.map(({ weight, mean }, arm) => (weight === 0 ? expectedFromNeighbours(arm, seen) : mean)),
    weights: seen.map(({ weight }) => weight),
  };
}

/** Variance of the labels' deviations from the shape of the others: of what is left when scatter is taken off. */
function deviationOf(
  cells: ReadonlyMap<string, readonly Cell[]>,
  shapes: ReadonlyMap<string, Shape>,
  variance: number,
): number {
  let [evidence, sum] = [1, deviation];
  for (const [name, arms] of cells) {
    const { means, weights } = shapes.get(name)!;
    const offset = offsetOf(arms, means);
    for (const [arm, { weight, mean }] of arms.entries()) {
      if (weight === 0 || weights[arm] === 0) continue;
      const counted = Math.min(weight, weights[arm], 1);
      const scatter = variance / weight + variance / weights[arm];
      evidence += counted;
      sum += counted * Math.max(0, (mean - means[arm] - offset) ** 2 - scatter);
    }
  }
  return sum / evidence;
}

/** The normal-inverse-gamma posterior of each arm of a label. `labelK`: so many pulls is the shape of the others worth, at most. */
function believed(
  arms: readonly Cell[],
  { means, weights }: Shape,
  labelK: number,
  { a, b }: { readonly a: number; readonly b: number },
): ArmBelief[] {
  const seen = arms.map(({ weight, mean }, arm) => ({ weight, mean: mean - means[arm] }));
  return armSizes.map((size, arm) => {
    const { pulls, weight, mean: own } = arms[arm];
    const expected = means[arm] + expectedFromNeighbours(arm, seen);
    // What the shape may be wrong by, and what the label may deviate from it, as variances over that of a pull.
    const k0 = 1 / (1 / (prior.k + weights[arm]) + 1 / labelK);
    const k = k0 + weight;
    return { size, pulls, mean: (k0 * expected + weight * own) / k, k, a, b };
  });
}
