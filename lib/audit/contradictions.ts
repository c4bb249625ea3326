import type { RunView } from './run-view';

/** Two runs on one model have verdicts that cannot both be true: something is unsound, and no verdict of them deserves trust. */
export class RunsContradictError extends Error {
  override readonly name = 'RunsContradictError';

  constructor(before: string, after: string, contradictions: readonly string[]) {
    super(
      `verdicts of the runs ${before} and ${after} cannot both be true: ${contradictions.join('; ')}; keep both runs`,
    );
  }
}

/** More contradictions than these are counted, not listed. */
const listed = 20;

/** The extreme proven radii of an item: robust at `robust` and below, broken at `broken` and above. */
interface Extremes {
  robust: number;
  robustIn: string;
  broken: number;
  brokenIn: string;
}

/**
 * Items that one of two runs on the same model calls robust at a radius and one of them not robust at that radius or a smaller
 * one: a smaller ball lies in a larger one, so one of the two verdicts is wrong.
 */
export function contradictionsOf(before: RunView, after: RunView): string[] {
  const items = new Map<string, Extremes>();
  for (const { side, balls, keys, radii } of [before, after]) {
    const valueAt = new Map(radii.map(({ epsilon, value }) => [epsilon, value]));
    for (const { index, epsilon, verdict } of balls) {
      if (verdict !== 'robust' && verdict !== 'not-robust') continue;
      const value = valueAt.get(epsilon) as number;
      const known = items.get(keys[index]) ?? {
        robust: 0,
        robustIn: '',
        broken: Number.POSITIVE_INFINITY,
        brokenIn: '',
      };
      const name = `run ${side.run}, input ${index} at ${epsilon}`;
      if (verdict === 'robust' && value > known.robust) [known.robust, known.robustIn] = [value, name];
      if (verdict === 'not-robust' && value < known.broken) [known.broken, known.brokenIn] = [value, name];
      items.set(keys[index], known);
    }
  }
  const found = [...items.values()].filter(({ robust, broken }) => robust >= broken);
  const told = found.slice(0, listed).map(({ robustIn, brokenIn }) => `robust: ${robustIn}; not robust: ${brokenIn}`);
  return found.length > listed ? [...told, `and ${found.length - listed} more`] : told;
}
