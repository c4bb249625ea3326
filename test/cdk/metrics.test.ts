import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Template } from 'aws-cdk-lib/assertions';
import { project } from '../../cdk/project';
import { metricNames, metricNamespace } from '../../lib/observe/names';
import { nameOf } from './permissions';
import { prepare, synthesise } from './synthesis';

let template: Template;
beforeAll(() => {
  template = synthesise();
});

const known: readonly string[] = Object.values(metricNames);

interface AlarmProperties {
  readonly Namespace?: string;
  readonly MetricName?: string;
  readonly Dimensions?: readonly { readonly Name: string; readonly Value: unknown }[];
  readonly Metrics?: readonly {
    readonly Expression?: string;
    readonly MetricStat?: { readonly Metric: AlarmProperties };
  }[];
  readonly Threshold: number;
  readonly ComparisonOperator: string;
}

/** Alarms by their name in docs/operations.md. */
const alarms = (from = template): [name: string, AlarmProperties][] =>
  Object.entries(from.findResources('AWS::CloudWatch::Alarm')).map(([id, { Properties }]) => [
    nameOf(id).replace(/^Alarms/, ''),
    Properties,
  ]);

/** The metrics of our own that an alarm reads. */
const read = ({ Metrics = [], ...alarm }: AlarmProperties) =>
  [alarm, ...Metrics.flatMap(({ MetricStat }) => MetricStat?.Metric ?? [])].filter(
    ({ Namespace }) => Namespace === metricNamespace,
  );

/** What the functions give is what test/observe/metrics.test.ts sees them give: exactly the known names, with the stack as dimension. */
test('alarms on figures of our own name such as the functions give, of this stack', () => {
  const figures = alarms().flatMap(([, alarm]) => read(alarm));
  expect(figures.map(({ MetricName }) => MetricName).filter((name) => !known.includes(name!))).toEqual([]);
  expect(figures.map(({ MetricName }) => MetricName).sort()).toEqual(
    [
      metricNames.ballsMissing,
      metricNames.ballsNotRobust,
      metricNames.ballsRobust,
      metricNames.costSoFar,
      metricNames.cpuSeconds,
      metricNames.unknownShare,
    ].sort(),
  );
  for (const { Dimensions } of figures) expect(Dimensions).toEqual([{ Name: 'service', Value: 'Baverly' }]);
});

test('widgets show such figures only, and all of them', () => {
  const [{ Properties }] = Object.values(template.findResources('AWS::CloudWatch::Dashboard'));
  const body = Properties.DashboardBody['Fn::Join'][1]
    .map((part: unknown) => (typeof part === 'string' ? part : 'reference'))
    .join('');
  const { widgets } = JSON.parse(body) as { widgets: { properties: { metrics: unknown[][] } }[] };
  const metrics = widgets.flatMap(({ properties }) => properties.metrics);
  const shown = metrics.filter(([namespace]) => namespace === metricNamespace);
  expect(
    shown.filter(
      ([, name, dimension, stack]) => !known.includes(String(name)) || dimension !== 'service' || stack !== 'Baverly',
    ),
  ).toEqual([]);
  expect([...new Set(shown.map(([, name]) => name))].sort()).toEqual([...known].sort());
  const searches = metrics.flatMap(([first]) => {
    const { expression = '' } = (first ?? {}) as { expression?: string };
    return [...expression.matchAll(/\{([^}]*)\} MetricName="(\w+)" service="(\w+)"/g)].map(([, ...parts]) => parts);
  });
  expect(searches).toEqual([
    ['Baverly,service,policy', metricNames.unknownShare, 'Baverly'],
    ['Baverly,service,policy', metricNames.cost, 'Baverly'],
  ]);
});

test('docs/operations.md says of every alarm what to do, and of no other', () => {
  const text = readFileSync(path.join(project.root, 'docs', 'operations.md'), 'utf8');
  const section = text.slice(text.indexOf('## For each alarm'), text.indexOf('## What else happens'));
  const rows = [...section.matchAll(/^\| `(\w+)` \| (.+) \| (.+) \|$/gm)];
  expect(rows.map(([, name]) => name).sort()).toEqual(
    alarms()
      .map(([name]) => name)
      .sort(),
  );
  for (const [, , meaning, advice] of rows) expect(Math.min(meaning!.length, advice!.length)).toBeGreaterThan(15);
});

test('limits of alarms are chosen at deployment', () => {
  const limit = (from: Template, name: string) => {
    const [, { Threshold, ComparisonOperator }] = alarms(from).find(([own]) => own === name)!;
    return [ComparisonOperator, Threshold];
  };
  expect(limit(template, 'RunCost')).toEqual(['GreaterThanThreshold', 50]);
  expect(limit(template, 'UnknownShare')).toEqual(['GreaterThanThreshold', 0.5]);
  expect(limit(template, 'VelocityCollapsed')).toEqual(['LessThanThreshold', 0.001]);
  expect(limit(template, 'BallsMissing')).toEqual(['GreaterThanOrEqualToThreshold', 1]);
  const chosen = synthesise({ alarmRunUsd: '200', alarmUnknownShare: '0.2', alarmVelocity: '1' });
  expect(limit(chosen, 'RunCost')[1]).toBe(200);
  expect(limit(chosen, 'UnknownShare')[1]).toBe(0.2);
  expect(limit(chosen, 'VelocityCollapsed')[1]).toBe(1);
  const quotient = alarms(chosen)
    .find(([name]) => name === 'VelocityCollapsed')![1]
    .Metrics!.flatMap(({ Expression }) => Expression ?? []);
  expect(quotient).toEqual(['IF(cpu >= 3600, (FILL(robust, 0) + FILL(notRobust, 0)) / cpu, 1)']);
  expect(() => prepare({ alarmUnknownShare: '2' })).toThrow(
    'alarmUnknownShare is "2": give a share above 0, at most 1',
  );
});
