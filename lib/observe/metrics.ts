import type { Metrics } from '@aws-lambda-powertools/metrics';
import type { MergedTally } from '../pipeline/coordinate';
import type { Report } from '../report/record';
import { missingBalls, totalCounts } from '../report/totals';
import type { BatchResult } from '../schedule/records';
import { type MetricName, metricNames, metricNamespace, policyDimension } from './names';

/**
 * Figures for CloudWatch in its embedded metric format: one line of JSON on the stdout of a Lambda, which costs the function no request and
 * no permission. Elsewhere there is nobody to read it, and nothing is written. `POWERTOOLS_SERVICE_NAME` is the name of the stack.
 */
const emitter = process.env.AWS_LAMBDA_FUNCTION_NAME === undefined ? undefined : createEmitter();

function createEmitter(): Metrics {
  // Loaded where it is of use: a local run starts without it.
  const powertools = require('@aws-lambda-powertools/metrics') as typeof import('@aws-lambda-powertools/metrics');
  return new powertools.Metrics({ namespace: metricNamespace });
}

type Unit = 'Count' | 'Seconds' | 'None';
type Figure = readonly [name: MetricName, unit: Unit, value: number];

/** One line; `about` stands beside the figures and is no dimension, `policy` is one. */
function emit(figures: readonly Figure[], about: Readonly<Record<string, string>>, policy?: string): void {
  if (emitter === undefined) return;
  for (const [name, unit, value] of figures) emitter.addMetric(name, unit, value);
  for (const [key, value] of Object.entries(about)) emitter.addMetadata(key, value);
  // A set of dimensions beside the stack's alone, which is given only where no other is.
  if (policy !== undefined) emitter.addDimensions({}).addDimensions({ [policyDimension]: policy });
  emitter.publishStoredMetrics();
}

/** A mini-batch that was verified; not where its result was there already. */
export function countMiniBatch(run: string, { id, balls, cpuSeconds }: BatchResult): void {
  const count = (wanted: string): number => balls.filter(({ verdict }) => verdict === wanted).length;
  emit(
    [
      [metricNames.ballsRobust, 'Count', count('robust')],
      [metricNames.ballsNotRobust, 'Count', count('not-robust')],
      [metricNames.cpuSeconds, 'Seconds', cpuSeconds],
    ],
    { run, batch: id },
  );
}

/** A round that was merged; not where it was merged already. */
export function countRound(run: string, { round, failed, usd }: MergedTally): void {
  emit(
    [
      [metricNames.rounds, 'Count', 1],
      [metricNames.miniBatchesFailed, 'Count', failed],
      [metricNames.costSoFar, 'None', usd],
    ],
    { run, round: String(round) },
  );
}

/** What a report says of its run. */
export function countReport(report: Report): void {
  const { run, status, cpuSeconds, cost } = report;
  const { robust, 'not-robust': notRobust, unknown, misclassified } = totalCounts(report);
  const asked = robust + notRobust + unknown;
  emit(
    [
      [metricNames.runsReported, 'Count', 1],
      [metricNames.ballsUnknown, 'Count', unknown],
      [metricNames.ballsMisclassified, 'Count', misclassified],
      [metricNames.unknownShare, 'None', asked > 0 ? unknown / asked : 0],
      // Of a run that failed most balls have no verdict, and its failure says so.
      ...(status === 'failed' ? [] : [[metricNames.ballsMissing, 'Count', missingBalls(report)] as const]),
      // Where everything was known before, nothing was verified.
      ...(cpuSeconds > 0 ? [[metricNames.velocity, 'None', (robust + notRobust) / cpuSeconds] as const] : []),
      ...(cost === undefined ? [] : [[metricNames.cost, 'None', cost.usd] as const]),
    ],
    { run: run.id, model: run.request.model },
    run.request.policy?.name,
  );
}

/** A run that ended early, whether or not there was enough of it for a report. */
export function countFailure(run: string, reason: string): void {
  emit([[metricNames.runsFailed, 'Count', 1]], { run, reason });
}
