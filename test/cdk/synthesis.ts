import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { z } from 'zod';
import { readSettings } from '../../cdk/settings';
import { BaverlyStack } from '../../cdk/stack';

// CloudFormation's own rules take longer than all the rest; cli.test.ts runs with them.
process.env.CDK_VALIDATION = 'false';

const root = path.join(__dirname, '..', '..');
const { context: configured } = z
  .object({ context: z.record(z.string(), z.unknown()) })
  .parse(JSON.parse(readFileSync(path.join(root, 'cdk.json'), 'utf8')));

export interface Synthesis {
  readonly app: App;
  readonly stack: BaverlyStack;
  /** The cloud assembly's folder, outside the repository, so that nothing in it finds our node_modules. */
  readonly folder: string;
  remove(): void;
}

/**
 * The stack as cdk.json configures it, with more context.
 *
 * @param bundle whether to bundle the functions, which the tests of the template itself do without
 */
export function prepare(context: Record<string, unknown> = {}, bundle = false): Synthesis {
  const folder = mkdtempSync(path.join(tmpdir(), 'baverly-synth-'));
  const app = new App({
    outdir: folder,
    context: { ...configured, ...(bundle ? {} : { 'aws:cdk:bundling-stacks': [] }), ...context },
  });
  const settings = readSettings(app.node);
  const stack = new BaverlyStack(app, settings.stackName, { settings });
  return { app, stack, folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** The template of the stack with this context. */
export function synthesise(context: Record<string, unknown> = {}): Template {
  const { stack, remove } = prepare(context);
  try {
    return Template.fromStack(stack);
  } finally {
    remove();
  }
}
