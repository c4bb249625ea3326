import type { IncomingMessage, ServerResponse } from 'node:http';
import path from 'node:path';
import { BadInputError } from '../errors';
import { type Narrate, narratingPool } from '../observe/narrate';
import type { StartRun } from '../policy/dispatch';
import { fileEvents } from '../policy/event-file';
import { hasCode } from '../storage/disk-places';
import { fileStorage } from '../storage/files';
import { machineArn } from '../workflow/local';
import { createPool } from '../workflow/pool/pool';
import { localBucket } from './credentials';
import { createEndpoint } from './endpoint';
import { ServiceError } from './http/message';
import { type Loopback, listenOnLoopback } from './http/server';
import { lockRoot } from './lock';
import { openNotices } from './notices';
import { serveFolder } from './places';
import { diskStore } from './s3/disk-store';
import { createUploads } from './s3/uploads';
import { ExecutionExistsError, type Executions, openExecutions } from './step-functions/executions';
import { startTriggers } from './triggers';
import { createWorkflow } from './workflow';

export interface ServeOptions {
  /** The folder with everything: objects as files, as `fileStorage` lays them out, and `%serve` for the rest. */
  readonly root: string;
  /** 0: any that is free. */
  readonly port: number;
  /** Entry of the child processes. */
  readonly worker: string;
  readonly workers: number;
  /** Memory cap of each worker, in megabytes. */
  readonly memoryMb: number;
  /** Name of the stack that clients find. */
  readonly stack: string;
  /** When audits are due (cron, UTC); undefined: never. */
  readonly nightly?: string;
  /** One audit at once, besides. */
  readonly auditNow?: boolean;
  /** Told what happens, a line each. */
  readonly log: (line: string) => void;
  /** Told of each call of a function as well. */
  readonly narrate?: Narrate;
}

export interface Server {
  readonly endpoint: string;
  /**
   * Ends: no request is answered any more, what runs is interrupted (its finished mini-batches are on disk), processes end. The
   * next server on this root goes on with it.
   */
  close(): Promise<void>;
}

/** Seconds that a function may take, as in the stack. */
const functionSeconds = 900;
/** Bytes of one object that is uploaded in parts. */
const longestUpload = 2 ** 31 - 1;
/** Milliseconds that requests at work have when the server ends. */
const patience = 2_000;

/**
 * The whole deployment on one machine: S3, Step Functions and the stack's description for the clients of AWS on 127.0.0.1, the
 * real state machine, its functions in child processes, and what starts runs by itself.
 *
 * @throws BadInputError when another process serves the root, or the port is taken
 */
export async function serve(options: ServeOptions): Promise<Server> {
  const root = path.resolve(options.root);
  const unlock = await lockRoot(root);
  try {
    return await start({ ...options, root }, unlock);
  } catch (error) {
    await unlock();
    throw error;
  }
}

async function start(options: ServeOptions, unlock: () => Promise<void>): Promise<Server> {
  const { root, worker, workers, memoryMb, log } = options;
  let answer: (message: IncomingMessage, response: ServerResponse) => Promise<void> = async () => {};
  let ready: () => void = () => {};
  const opened = new Promise<void>((resolve) => {
    ready = resolve;
  });
  const loopback = await listen(options.port, (message, response) => opened.then(() => answer(message, response)));
  const storage = fileStorage(root);
  const pool = createPool({
    entry: worker,
    size: workers,
    timeoutFor: () => functionSeconds,
    env: { BAVERLY_ROOT: root, BAVERLY_BUCKET: '', BAVERLY_EVENT_BUS: '', BAVERLY_MEMORY_MB: String(memoryMb) },
  });
  const kept = fileStorage(serveFolder(root));
  const notices = await openNotices(root, log);
  const workflow = createWorkflow({
    ...{ storage, concurrency: workers, executions: () => executions },
    pool: options.narrate ? narratingPool(pool, options.narrate) : pool,
  });
  const executions: Executions = await openExecutions({
    storage: kept,
    run: (record, signal) => workflow(record, signal).finally(notices.look),
    log,
  });
  const events = fileEvents(root);
  const triggers = await startTriggers({
    root,
    context: {
      storage,
      bucket: localBucket,
      startRun: starting(executions),
      events: { publish: (published) => events.publish(published).finally(notices.look) },
    },
    ...(options.nightly !== undefined && { nightly: options.nightly }),
    auditNow: options.auditNow === true,
    log,
  });
  const bucket = diskStore(root);
  answer = createEndpoint({
    port: loopback.port,
    s3: {
      buckets: { find: (name) => (name === localBucket ? bucket : undefined), create: refuseBucket },
      uploads: createUploads({ folder: serveFolder(root), longest: longestUpload }),
      onCreated: ({ key }) => triggers.written(key),
    },
    executions,
    stack: {
      name: options.stack,
      startedAt: new Date(),
      outputs: { BucketName: localBucket, StateMachineArn: machineArn },
    },
    log,
  });
  ready();
  return {
    endpoint: loopback.endpoint,
    async close() {
      await loopback.close(patience);
      await triggers.close();
      await executions.close();
      await pool.close();
      await unlock();
    },
  };
}

async function listen(port: number, answer: Parameters<typeof listenOnLoopback>[1]): Promise<Loopback> {
  try {
    return await listenOnLoopback(port, answer);
  } catch (error) {
    if (!hasCode(error, 'EADDRINUSE', 'EACCES')) throw error;
    const problem = hasCode(error, 'EACCES') ? 'may not be used by this user' : 'is taken by another program';
    throw new BadInputError(`port ${port}`, [`${problem}: give another one with --port`], { cause: error });
  }
}

function refuseBucket(name: string): never {
  if (name === localBucket) throw new ServiceError(409, 'BucketAlreadyOwnedByYou', 'The bucket is already yours.');
  throw new ServiceError(403, 'AccessDenied', `Access Denied: ${localBucket} is the only bucket here`);
}

/** How dispatching starts runs: each name once. */
function starting(executions: Executions): StartRun {
  return async (name, input) => {
    if (executions.find(name) !== undefined) return 'exists';
    try {
      await executions.start(name, JSON.stringify(input));
      return 'started';
    } catch (error) {
      if (error instanceof ExecutionExistsError) return 'exists';
      throw error;
    }
  };
}
