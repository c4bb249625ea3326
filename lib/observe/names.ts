/**
 * Names of the metrics that the functions give to CloudWatch (metrics.ts) and that dashboard and alarms read (cdk/constructs): typed here
 * and nowhere else. Each name in each combination of dimensions is charged by the month, so models, runs and mini-batches are no dimensions:
 * they stand beside the figures in the same line of the log, where Logs Insights finds them.
 */
export const metricNamespace = 'Baverly';

/** Of every metric: the name of the stack, by the name that Powertools gives to this dimension. */
export const stackDimension = 'service';
/** Of what a report says of a run that a policy asked for, beside the same without. */
export const policyDimension = 'policy';

export const metricNames = {
  /** Of a mini-batch, by `verify`: balls that it settled, and CPU-seconds that it took. Their quotient is the velocity at that time. */
  ballsRobust: 'BallsRobust',
  ballsNotRobust: 'BallsNotRobust',
  cpuSeconds: 'CpuSeconds',
  /** Of a round, by `coordinate`: that it was merged, its mini-batches without usable result, and US dollars of the run until then. */
  rounds: 'Rounds',
  miniBatchesFailed: 'MiniBatchesFailed',
  costSoFar: 'CostSoFar',
  /** Of a run, by `report`. */
  runsReported: 'RunsReported',
  runsFailed: 'RunsFailed',
  ballsUnknown: 'BallsUnknown',
  ballsMisclassified: 'BallsMisclassified',
  /** Balls of a run that did not fail which have no verdict: always 0, but for a defect. */
  ballsMissing: 'BallsMissing',
  /** Of the balls that the model does not misclassify, 0 to 1. */
  unknownShare: 'UnknownShare',
  /** Balls proven robust or not robust per CPU-second of the whole run. */
  velocity: 'Velocity',
  /** US dollars of the whole run. */
  cost: 'Cost',
} as const;
export type MetricName = (typeof metricNames)[keyof typeof metricNames];
