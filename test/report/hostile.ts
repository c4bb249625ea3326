import type { Report } from '../../lib/report/record';
import { sampleBalls, sampleParts, sampleReport, sampleRun } from './sample';

/** A text that runs script wherever it is taken for markup: in text, in attributes, in script elements, in comments. */
export const hostile = `"'--></script></style></svg></text><img src=x onerror="window.hacked=1"><script>window.hacked=1</script>`;

/** A report in which every free text is hostile. */
export function hostileReport(): Report {
  const run = sampleRun();
  const rename = (epsilon: string): string => (epsilon === '0.01' ? hostile : epsilon);
  return sampleReport({
    run: sampleRun({
      id: hostile,
      modelHash: hostile,
      datasetHash: hostile,
      datasetName: hostile,
      startedAt: hostile,
      versions: { [hostile]: hostile },
      request: {
        ...run.request,
        model: `models/${hostile}`,
        dataset: hostile,
        epsilons: run.request.epsilons.map(({ text, value }) => ({ text: rename(text), value })),
      },
    }),
    balls: sampleBalls.map((ball) => ({
      ...ball,
      epsilon: rename(ball.epsilon),
      batch: hostile,
      ...(ball.verdict === 'unknown' ? { reason: hostile } : { settledBy: hostile }),
    })),
    batches: sampleParts().batches.map((batch) => ({
      ...batch,
      id: hostile,
      epsilon: rename(batch.epsilon),
      error: hostile,
    })),
    status: 'failed',
    problems: [hostile],
  });
}
