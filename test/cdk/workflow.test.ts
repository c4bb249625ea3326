import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Match, type Template } from 'aws-cdk-lib/assertions';
import jsonata from 'jsonata';
import { z } from 'zod';
import { project } from '../../cdk/project';
import { allowsKey, permissionsOf } from './permissions';
import { prepare, synthesise } from './synthesis';

const definition = readFileSync(project.definition, 'utf8');
let template: Template;
beforeAll(() => {
  template = synthesise();
});

const stateMachineSchema = z.object({
  Properties: z.object({ DefinitionSubstitutions: z.record(z.string(), z.unknown()) }),
});

function substitutions(): Record<string, unknown> {
  const [stateMachine] = Object.values(template.findResources('AWS::StepFunctions::StateMachine'));
  return stateMachineSchema.parse(stateMachine).Properties.DefinitionSubstitutions;
}

interface State {
  readonly Type?: string;
  readonly Resource?: string;
  readonly TimeoutSeconds?: number | string;
  readonly Arguments?: { readonly FunctionName?: string };
}

/** Every object inside the definition that names a resource: tasks, item readers, result writers. */
function usesOfResources(value: unknown = JSON.parse(definition)): State[] {
  if (typeof value !== 'object' || value === null) return [];
  const inside = Object.values(value).flatMap(usesOfResources);
  return 'Resource' in value ? [value as State, ...inside] : inside;
}

test('it is a Standard state machine, traced, whose events are logged without their data', () => {
  template.hasResourceProperties('AWS::StepFunctions::StateMachine', {
    StateMachineType: 'STANDARD',
    TracingConfiguration: { Enabled: true },
    LoggingConfiguration: { Level: 'ALL', IncludeExecutionData: false },
    RoleArn: { 'Fn::GetAtt': [Match.stringLikeRegexp('^WorkflowRole'), 'Arn'] },
  });
});

test('it is deployed from the definition that runs locally, unchanged', () => {
  const { app, folder, remove } = prepare();
  const [stateMachine] = Object.values<{ Properties: { DefinitionS3Location: { Key: string } } }>(
    app.synth().getStackByName('Baverly').template.Resources,
  ).filter((resource) => 'DefinitionS3Location' in resource.Properties);
  const asset = path.join(folder, `asset.${stateMachine!.Properties.DefinitionS3Location.Key}`);
  const deployed = readFileSync(asset, 'utf8');
  remove();
  expect(deployed).toBe(definition);
});

test('every placeholder of the definition is substituted, and every substitution has a placeholder', () => {
  const placeholders = [...definition.matchAll(/\$\{(\w+)\}/g)].map(([, name]) => name);
  expect([...new Set(placeholders)].sort()).toEqual(Object.keys(substitutions()).sort());
});

test('each placeholder stands for the resource of its name', () => {
  for (const name of ['Plan', 'Verify', 'Refine', 'Coordinate', 'Report']) {
    expect(substitutions()[`${name}FunctionArn`]).toEqual({
      'Fn::GetAtt': [expect.stringMatching(`^Functions${name}[0-9A-F]{8}$`), 'Arn'],
    });
  }
  expect(substitutions().BucketName).toEqual({ Ref: expect.stringMatching(/^StorageData[0-9A-F]{8}$/) });
});

test('it calls nothing that its role is not permitted to call', () => {
  expect([...new Set(usesOfResources().map(({ Resource }) => Resource))].sort()).toEqual([
    'arn:aws:states:::lambda:invoke',
    'arn:aws:states:::s3:getObject',
    'arn:aws:states:::s3:putObject',
  ]);
  const permissions = permissionsOf(template, 'WorkflowRole');
  expect(allowsKey(permissions, 's3:GetObject', 'runs/a/rounds/0/plan.jsonl')).toBe(true);
  expect(allowsKey(permissions, 's3:GetObject', 'runs/a/rounds/0/map/b/manifest.json')).toBe(true);
  expect(allowsKey(permissions, 's3:PutObject', 'runs/a/rounds/0/map/b/manifest.json')).toBe(true);
  expect(allowsKey(permissions, 's3:PutObject', 'runs/a/rounds/0/results/0-1.json')).toBe(false);
});

test('a state gives up no later than its function is cut off', async () => {
  const functions = Object.values(template.findResources('AWS::Lambda::Function'));
  const shortest = Math.min(...functions.map(({ Properties }) => Properties.Timeout));
  const tasks = usesOfResources().filter(({ Resource }) => Resource?.endsWith('lambda:invoke'));
  expect(tasks.length).toBeGreaterThanOrEqual(5);
  // Of mini-batches it is an expression of their seconds, of which the longest may have any number.
  const longest = { states: { input: { batch: { seconds: 1e6 } } } };
  for (const { TimeoutSeconds } of tasks) {
    const [, expression] = /^{% (.*) %}$/.exec(String(TimeoutSeconds)) ?? [];
    const most = expression === undefined ? TimeoutSeconds : await jsonata(expression).evaluate({}, longest);
    expect(most).toBeLessThanOrEqual(shortest);
  }
});
