import { type VerdictName, verdictNames } from '../verdict';
import type { RadiusSummary, Report } from './record';

export type VerdictCounts = Readonly<Record<VerdictName, number>>;

/** The counts of one radius by verdict. */
export function countsOf(radius: RadiusSummary): VerdictCounts {
  return {
    robust: radius.robust,
    'not-robust': radius.notRobust,
    unknown: radius.unknown,
    misclassified: radius.misclassified,
  };
}

/** The counts of all radii together. */
export function totalCounts({ radii }: Report): VerdictCounts {
  const total = { robust: 0, 'not-robust': 0, unknown: 0, misclassified: 0 };
  for (const radius of radii) {
    const counts = countsOf(radius);
    for (const name of verdictNames) total[name] += counts[name];
  }
  return total;
}

/** Balls without a verdict: 0 for a run that is done. */
export function missingBalls(report: Report): number {
  return report.run.inputs * report.radii.length - report.balls.length;
}

/** CPU seconds of the mini-batches of one radius, the failed ones included. */
export function cpuSecondsOf({ batches }: Report, epsilon: string): number {
  let seconds = 0;
  for (const batch of batches) if (batch.epsilon === epsilon) seconds += batch.cpuSeconds;
  return seconds;
}

/** How many `unknown` balls have which reason, the most frequent first. */
export function unknownReasons({ balls }: Report): [reason: string, count: number][] {
  const counts = new Map<string, number>();
  for (const { verdict, reason = '' } of balls) {
    if (verdict === 'unknown') counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
}
