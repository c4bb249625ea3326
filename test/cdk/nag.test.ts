import { readFileSync } from 'node:fs';
import path from 'node:path';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { z } from 'zod';
import { acknowledgements, checkStack } from '../../cdk/acknowledgements';
import { prepare, type Synthesis } from './synthesis';

const reportSchema = z.object({
  pluginReports: z.array(
    z.object({
      pluginName: z.string(),
      conclusion: z.string(),
      violations: z.array(z.unknown()),
      suppressedViolations: z.array(
        z.object({
          ruleName: z.string(),
          reason: z.string(),
          violatingConstructs: z.array(z.object({ constructPath: z.string() })),
        }),
      ),
    }),
  ),
});

let synthesis: Synthesis;
beforeEach(() => {
  synthesis = prepare();
  checkStack(synthesis.app, synthesis.stack);
});
afterEach(() => synthesis.remove());

function report() {
  synthesis.app.synth();
  const file = path.join(synthesis.folder, 'validation-report.json');
  const { pluginReports } = reportSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  return pluginReports.find(({ pluginName }) => pluginName === 'AwsSolutions')!;
}

test('no finding of the AWS Solutions rules is open', () => {
  expect(report()).toMatchObject({ conclusion: 'success', violations: [] });
});

test('every acknowledgement gives its reason and meets a finding where it was made', () => {
  const found = report().suppressedViolations.flatMap(({ ruleName, violatingConstructs }) =>
    violatingConstructs.map(({ constructPath }) => ({ ruleName, constructPath })),
  );
  const made = acknowledgements(synthesis.stack);
  expect(made.length).toBeGreaterThan(0);
  for (const { rule, on, reason } of made) {
    expect(reason).toMatch(/^[A-Z].{20,}\.$/);
    for (const construct of on) {
      const met = found.some(
        ({ ruleName, constructPath }) => ruleName === rule && constructPath.startsWith(`${construct.node.path}/`),
      );
      expect({ rule, on: construct.node.path, met }).toEqual({ rule, on: construct.node.path, met: true });
    }
  }
});

test('a careless bucket is found', () => {
  new Bucket(synthesis.stack, 'Careless', { enforceSSL: false });
  expect(() => synthesis.app.synth()).toThrow(/AwsSolutions-S1(.|\n)*Baverly\/Careless/);
});

test('a function that is given more than was acknowledged is found', () => {
  const { bucket } = synthesis.stack.storage;
  synthesis.stack.functions.roles.verify.addToPolicy(
    new PolicyStatement({ actions: ['s3:GetObject'], resources: [bucket.arnForObjects('policies/*')] }),
  );
  expect(() => synthesis.app.synth()).toThrow(/AwsSolutions-IAM5\[Resource::<StorageData[^>]*>\/policies\/\*\]/);
});
