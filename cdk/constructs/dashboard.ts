import { Duration } from 'aws-cdk-lib';
import { Dashboard, GraphWidget, type IMetric, type IWidget } from 'aws-cdk-lib/aws-cloudwatch';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { IStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { FunctionName } from './access';
import type { Triggers } from './triggers';

export interface OverviewProps {
  readonly stateMachine: IStateMachine;
  readonly functions: Readonly<Record<FunctionName, IFunction>>;
  readonly deadLetters: Triggers['deadLetters'];
}

const period = Duration.minutes(5);

/** What the deployment does and how it fails, by the metrics that AWS keeps of it anyway: one page, which docs/operations.md explains. */
export class Overview extends Construct {
  readonly dashboard: Dashboard;

  constructor(scope: Construct, id: string, { stateMachine, functions, deadLetters }: OverviewProps) {
    super(scope, id);
    const all = Object.values(functions);
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
  }
}
