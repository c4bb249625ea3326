import type { Command } from 'commander';
import { problemOfNewRun } from '../client/attempts';
import type { Deployment, TargetOptions } from '../client/connect';
import { BadInputError } from '../errors';
import { executionNameSchema } from '../workflow/events';

/** Adds the options that say where the deployment is. */
export function addTargetOptions(command: Command): Command {
  return command
    .option('--stack <name>', 'the deployed stack, whose outputs say where bucket and state machine are', 'Baverly')
    .option('--region <name>', 'AWS region, where the environment does not say it')
    .option('--endpoint <url>', 'of `npx baverly serve` instead of AWS')
    .option('--bucket <name>', 'instead of that of the stack')
    .option('--state-machine <arn>', 'instead of that of the stack');
}

/** Loads the AWS SDK, which takes longer to load than the rest of a command's start, and does the work with the deployment. */
export async function remotely<T>(options: TargetOptions, work: (deployment: Deployment) => Promise<T>): Promise<T> {
  // The SDK's advice on versions of Node.js is for whoever updates it here, not for whoever starts a run.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  const { withDeployment } = require('../client/connect') as typeof import('../client/connect');
  return withDeployment(options, work);
}

/** @throws BadInputError for what can be no run of a deployment */
export function checkRunId(run: string): void {
  if (executionNameSchema.safeParse(run).success) return;
  throw new BadInputError(`run ${run}`, ['is not the id of a run: 1 to 80 letters, digits, hyphens and underscores']);
}

/** @throws BadInputError for what a new run cannot be called */
export function checkNewRunId(run: string): void {
  checkRunId(run);
  const problem = problemOfNewRun(run);
  if (problem !== undefined) throw new BadInputError(`run ${run}`, [problem]);
}

/** How the target is named in a command line that goes on with a run. */
export function targetArguments({ stack, region, endpoint, bucket, stateMachine }: TargetOptions): string {
  const given = {
    stack: stack === 'Baverly' ? undefined : stack,
    region,
    endpoint,
    bucket,
    'state-machine': stateMachine,
  };
  return Object.entries(given)
    .flatMap(([name, value]) => (value === undefined ? [] : [` --${name} ${value}`]))
    .join('');
}
