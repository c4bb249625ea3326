import { Duration, Stack } from 'aws-cdk-lib';
import { type IMetric, MathExpression, Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import {
  type MetricName,
  metricNames,
  metricNamespace,
  policyDimension,
  stackDimension,
} from '../../lib/observe/names';

/** The figures that the functions of a stack give out (lib/observe), as graphs and alarms read them. */
export interface OwnMetrics {
  /** A figure of the whole stack. */
  of(name: MetricName, statistic: string, period?: Duration): Metric;
  /** Balls proven robust or not robust per CPU-second of mini-batches; `otherwise` where these took less than so many CPU-seconds. */
  velocity(period: Duration, least?: { readonly cpuSeconds: number; readonly otherwise: number }): IMetric;
  /** A figure for every policy that there is. */
  byPolicy(name: MetricName, statistic: string): IMetric;
}

const five = Duration.minutes(5);

export function ownMetrics(scope: Construct): OwnMetrics {
  const stack = Stack.of(scope).stackName;
  const of: OwnMetrics['of'] = (metricName, statistic, period = five) =>
    new Metric({
      namespace: metricNamespace,
      metricName,
      statistic,
      period,
      label: metricName,
      dimensionsMap: { [stackDimension]: stack },
    });
  return {
    of,
    velocity(period, least = { cpuSeconds: 1, otherwise: 0 }) {
      // Without a line of log in a period there is no figure, which is another thing than 0 to a quotient.
      const settled = 'FILL(robust, 0) + FILL(notRobust, 0)';
      return new MathExpression({
        label: 'balls per CPU-second',
        expression: `IF(cpu >= ${least.cpuSeconds}, (${settled}) / cpu, ${least.otherwise})`,
        period,
        usingMetrics: {
          cpu: of(metricNames.cpuSeconds, Stats.SUM, period),
          robust: of(metricNames.ballsRobust, Stats.SUM, period),
          notRobust: of(metricNames.ballsNotRobust, Stats.SUM, period),
        },
      });
    },
    byPolicy(name, statistic) {
      const schema = [metricNamespace, stackDimension, policyDimension].join(',');
      const search = `{${schema}} MetricName="${name}" ${stackDimension}="${stack}"`;
      return new MathExpression({
        label: '',
        expression: `SEARCH('${search}', '${statistic}', ${five.toSeconds()})`,
        period: five,
      });
    },
  };
}
