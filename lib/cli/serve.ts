import path from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { Cron } from 'croner';
import { messageOf } from '../errors';
import { defaultPort, localBucket, localCredentials, localRegion } from '../serve/credentials';
import { serve } from '../serve/serve';
import { type ExitCode, exitCodes, printable } from './exit';
import { checkWritable } from './files';
import type { Host } from './host';
import { defaultWorkers, positiveInteger } from './options';
import { addVerbose, runHappenings, type VerboseOptions } from './verbose';

interface ServeCommandOptions extends VerboseOptions {
  readonly root: string;
  readonly port: number;
  readonly stack: string;
  readonly workers: number;
  readonly memory: number;
  readonly nightly: string | false;
  readonly auditNow?: boolean;
  readonly json?: boolean;
}

export function addServe(program: Command, host: Host, done: (code: ExitCode) => void): void {
  const command = program
    .command('serve')
    .description('The whole deployment on this machine: S3, Step Functions and all behind them, at 127.0.0.1')
    .requiredOption('--root <folder>', 'where everything is kept; a new folder is made')
    .option('--port <n>', 'port at 127.0.0.1; 0 is any that is free', port, defaultPort)
    .option('--stack <name>', 'name of the stack that clients find', 'Baverly')
    .option('--workers <n>', 'processes', positiveInteger, defaultWorkers())
    .option('--memory <mb>', 'memory cap of each process', positiveInteger, 1769)
    .option('--nightly <cron>', 'when audits are due, UTC', pattern, '0 2 * * *')
    .option('--no-nightly', 'no audits by the clock')
    .option('--audit-now', 'one audit at once, besides')
    .option('--json', 'print endpoint, bucket and keys as JSON');
  addVerbose(command, runHappenings).action(async (options: ServeCommandOptions) =>
    done(await serveUntilEnded(host, options)),
  );
}

/** Serves until Ctrl-C or SIGTERM; a second one ends the process at once. */
async function serveUntilEnded(host: Host, options: ServeCommandOptions): Promise<ExitCode> {
  const { root, stack, workers, memory, nightly } = options;
  const log = (line: string): void => {
    host.stderr.write(`${new Date().toISOString()} ${printable(line).replaceAll('\n', ' ')}\n`);
  };
  checkWritable(path.resolve(root), 'root', '--root');
  const server = await serve({
    ...{ root, port: options.port, stack, workers, memoryMb: memory, worker: host.worker, log },
    ...(nightly !== false && { nightly }),
    auditNow: options.auditNow === true,
    ...(options.verbose && { narrate: log }),
  });
  const ended = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
  const { endpoint } = server;
  const { accessKeyId, secretAccessKey } = localCredentials;
  const environment = {
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: localRegion,
    // What version 1 of the AWS command line reads.
    AWS_DEFAULT_REGION: localRegion,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
  };
  if (options.json) host.stdout.write(`${JSON.stringify({ endpoint, stack, bucket: localBucket, environment })}\n`);
  else {
    const lines = Object.entries(environment).map(([name, value]) => `  export ${name}=${value}`);
    host.stdout.write(`Serving ${root} at ${endpoint}, bucket ${localBucket}, stack ${stack}. Ctrl-C ends it.\n`);
    host.stdout.write(`Start a run:   npx baverly submit --endpoint ${endpoint} ...\n`);
    host.stdout.write(`For AWS tools:\n${lines.join('\n')}\n`);
  }
  await ended;
  log('ending: what runs goes on with the next server on this root');
  await server.close();
  return exitCodes.done;
}

function port(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value <= 65_535) return value;
  throw new InvalidArgumentError('It must be a port, 0 to 65535.');
}

function pattern(text: string): string {
  try {
    new Cron(text, { paused: true }).stop();
    return text;
  } catch (error) {
    throw new InvalidArgumentError(`It must be a cron pattern such as '0 2 * * *' (${messageOf(error)}).`);
  }
}
