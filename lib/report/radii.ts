import type { RunRecord } from '../schedule/records';
import type { BallVerdict, RadiusSummary } from './record';

/**
 * One summary per radius, in the order of the request. A ball without a verdict (a run that ended early) is as open as
 * an `unknown` one: the certified accuracy lies in [robust, inputs - not-robust - misclassified] / inputs.
 */
export function radiusSummaries(run: RunRecord, balls: readonly BallVerdict[]): RadiusSummary[] {
  const summaries = run.request.epsilons.map(({ text, value }) => ({
    epsilon: text,
    value,
    robust: 0,
    notRobust: 0,
    unknown: 0,
    misclassified: 0,
  }));
  const byText = new Map(summaries.map((summary) => [summary.epsilon, summary]));
  for (const { epsilon, verdict } of balls) {
    const summary = byText.get(epsilon);
    if (summary !== undefined) summary[verdict === 'not-robust' ? 'notRobust' : verdict]++;
  }
  return summaries.map((summary) => ({
    ...summary,
    certifiedAccuracy: [
      summary.robust / run.inputs,
      (run.inputs - summary.notRobust - summary.misclassified) / run.inputs,
    ],
  }));
}
