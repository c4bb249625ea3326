import { messageOf } from '../../errors';
import type { Storage } from '../../storage/storage';
import type { ExecutionResult } from '../../workflow/interpreter/execute';
import { createLocks } from '../locks';
import { type ExecutionRecord, readExecutions, writeExecution } from './record';

export class ExecutionExistsError extends Error {
  override readonly name = 'ExecutionExistsError';

  constructor(record: ExecutionRecord) {
    super(`execution ${record.name} exists already (${record.status}): choose another name`);
  }
}

/** The executions of the state machine, kept on disk from their start on. They run one after the other. */
export interface Executions {
  /**
   * Starts once per name, and returns when that is on disk. A second start with the same input is the same execution while
   * that runs; otherwise ExecutionExistsError.
   */
  start(name: string, input: string): Promise<ExecutionRecord>;
  find(name: string): ExecutionRecord | undefined;
  /** Newest first. */
  list(): readonly ExecutionRecord[];
  /** Ends it as ABORTED, on disk before this returns; one that has ended stays as it is. Undefined: there is none. */
  stop(name: string, error?: string, cause?: string): Promise<ExecutionRecord | undefined>;
  /** Interrupts what runs, without ending it: the next server on these files goes on with it. Resolves when nothing runs. */
  close(): Promise<void>;
}

export interface ExecutionsOptions {
  /** Where they are kept. */
  readonly storage: Storage;
  /** Runs one from the beginning; what was done before it was interrupted is found in the bucket. Never rejects. */
  readonly run: (record: ExecutionRecord, signal: AbortSignal) => Promise<ExecutionResult>;
  readonly log: (line: string) => void;
  readonly now?: () => number;
}

/** Opens the executions on disk, and goes on with those that were running when the last server ended. */
export async function openExecutions(options: ExecutionsOptions): Promise<Executions> {
  const { storage, run, log, now = Date.now } = options;
  const { records, unreadable } = await readExecutions(storage);
  for (const problem of unreadable) log(`an execution is left out: ${problem}`);
  const known = new Map(records.map((record) => [record.name, record]));
  const closing = new AbortController();
  /** So that an execution starts once, and one that ends while it is stopped has one end. */
  const locks = createLocks();
  let current: { readonly name: string; readonly controller: AbortController } | undefined;
  let line: Promise<void> = Promise.resolve();
  const date = (): string => new Date(now()).toISOString();

  async function keep(record: ExecutionRecord): Promise<ExecutionRecord> {
    await writeExecution(storage, record);
    known.set(record.name, record);
    return record;
  }

  /** Waits for its turn; one that was stopped meanwhile does not run. */
  function enqueue(name: string): void {
    line = line.then(() => work(name)).catch((error) => log(`execution ${name}: ${messageOf(error)}`));
  }

  async function work(name: string): Promise<void> {
    const record = known.get(name);
    if (closing.signal.aborted || record?.status !== 'RUNNING') return;
    const controller = new AbortController();
    current = { name, controller };
    const interrupt = (): void => controller.abort(closing.signal.reason);
    closing.signal.addEventListener('abort', interrupt);
    try {
      log(`execution ${name} runs`);
      const result = await run(record, controller.signal);
      // Stopped, it has its end on disk; interrupted, it has none and goes on with the next server.
      await locks.hold(name, async () => {
        if (controller.signal.aborted) return;
        const ended = await keep({ ...record, ...endOf(result), stopDate: date() });
        log(`execution ${name} ended: ${ended.status}${ended.error === undefined ? '' : ` (${ended.error})`}`);
      });
    } finally {
      closing.signal.removeEventListener('abort', interrupt);
      current = undefined;
    }
  }

  const unfinished = records.filter(({ status }) => status === 'RUNNING').sort(byStart);
  for (const record of unfinished) {
    await keep({ ...record, resumed: record.resumed + 1 });
    log(`execution ${record.name} was interrupted and goes on`);
    enqueue(record.name);
  }

  async function begin(name: string, input: string): Promise<ExecutionRecord> {
    const record = await keep({ version: 1, name, input, status: 'RUNNING', startDate: date(), resumed: 0 });
    enqueue(name);
    return record;
  }

  return {
    start: (name, input) =>
      locks.hold(name, async () => {
        const there = known.get(name);
        if (there === undefined) return begin(name, input);
        if (there.status === 'RUNNING' && there.input === input) return there;
        throw new ExecutionExistsError(there);
      }),
    find: (name) => known.get(name),
    list: () => [...known.values()].sort((a, b) => byStart(b, a)),
    stop: (name, error, cause) =>
      locks.hold(name, async () => {
        const record = known.get(name);
        if (record?.status !== 'RUNNING') return record;
        const why = { ...(error !== undefined && { error }), ...(cause !== undefined && { cause }) };
        const stopped = await keep({ ...record, status: 'ABORTED', stopDate: date(), ...why });
        if (current?.name === name) current.controller.abort(new Error('the execution was stopped'));
        log(`execution ${name} was stopped`);
        return stopped;
      }),
    async close() {
      closing.abort(new Error('the server ends'));
      await line;
    },
  };
}

const byStart = (a: ExecutionRecord, b: ExecutionRecord): number =>
  a.startDate < b.startDate ? -1 : a.startDate > b.startDate ? 1 : a.name < b.name ? -1 : 1;

function endOf(result: ExecutionResult): Pick<ExecutionRecord, 'status' | 'output' | 'error' | 'cause'> {
  if (result.status === 'SUCCEEDED') return { status: 'SUCCEEDED', output: JSON.stringify(result.output) };
  const error = result.status === 'FAILED' ? { error: result.error } : {};
  return { status: result.status, ...error, cause: result.cause };
}
