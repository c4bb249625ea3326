import { Duration } from 'aws-cdk-lib';
import { Dashboard, GraphWidget, type IMetric, type IWidget, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { IStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { type MetricName, metricNames } from '../../lib/observe/names';
import type { FunctionName } from './access';
import { ownMetrics } from './metrics';
import type { Triggers } from './triggers';

export interface OverviewProps {
  readonly stateMachine: IStateMachine;
  readonly functions: Readonly<Record<FunctionName, IFunction>>;
  readonly deadLetters: Triggers['deadLetters'];
}

const period = Duration.minutes(5);

/** What the deployment finds out, what it costs and how it fails: one page, which docs/operations.md explains. */
export class Overview extends Construct {
  readonly dashboard: Dashboard;

  constructor(scope: Construct, id: string, { stateMachine, functions, deadLetters }: OverviewProps) {
    super(scope, id);
    const all = Object.values(functions);
    const own = ownMetrics(this);
    const graph = (title: string, left: IMetric[]): IWidget => new GraphWidget({ title, left, width: 12, height: 6 });
    this.dashboard = new Dashboard(this, 'Dashboard', { defaultInterval: Duration.days(1) });
    this.dashboard.addWidgets(
      graph('Runs', [
        stateMachine.metricStarted({ period }),
        stateMachine.metricSucceeded({ period }),
        stateMachine.metricFailed({ period }),
        stateMachine.metricTimedOut({ period }),
        stateMachine.metricAborted({ period }),
      ]),
      graph('Duration of a run', [stateMachine.metricTime({ period })]),
      graph(
        'Calls',
        all.map((each) => each.metricInvocations({ period })),
      ),
      graph(
        'Calls that failed (of verify and refine these are results: their balls are tried again)',
        all.map((each) => each.metricErrors({ period })),
      ),
      graph(
        'Longest call',
        all.map((each) => each.metricDuration({ period, statistic: 'Maximum' })),
      ),
      graph('Throttled, and mini-batches at the same time', [
        ...all.map((each) => each.metricThrottles({ period })),
        ...[functions.verify, functions.refine].map((each) =>
          each.metric('ConcurrentExecutions', { period, statistic: 'Maximum' }),
        ),
      ]),
      graph('Dead letters', [
        deadLetters.model.metricApproximateNumberOfMessagesVisible({ period }),
        deadLetters.night.metricApproximateNumberOfMessagesVisible({ period }),
      ]),
    );
    const sums = (...names: MetricName[]): IMetric[] => names.map((name) => own.of(name, Stats.SUM));
    const { ballsRobust, ballsNotRobust, ballsUnknown, ballsMisclassified } = metricNames;
    this.dashboard.addWidgets(
      graph('Balls settled', sums(ballsRobust, ballsNotRobust, ballsUnknown, ballsMisclassified)),
      graph('Velocity, of mini-batches and of whole runs', [
        own.velocity(period),
        own.of(metricNames.velocity, Stats.AVERAGE),
      ]),
      graph('Share of unknown in a run', [
        own.of(metricNames.unknownShare, Stats.MAXIMUM),
        own.byPolicy(metricNames.unknownShare, Stats.MAXIMUM),
      ]),
      graph('US dollars: of the dearest run so far, and of runs that ended', [
        own.of(metricNames.costSoFar, Stats.MAXIMUM),
        own.of(metricNames.cost, Stats.SUM),
        own.byPolicy(metricNames.cost, Stats.SUM),
      ]),
      graph('Rounds, and mini-batches without result', sums(metricNames.rounds, metricNames.miniBatchesFailed)),
      graph(
        'Reports, runs that ended early, and balls that are missing',
        sums(metricNames.runsReported, metricNames.runsFailed, metricNames.ballsMissing),
      ),
    );
  }
}
