import { type ChildProcess, fork } from 'node:child_process';
import { StatesError } from '../interpreter/errors';
import type { Invocation, Reply } from './protocol';

export interface ChildOptions {
  /** Path of the JavaScript file that calls serveHandlers. */
  readonly entry: string;
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Limit of the JavaScript heap; what ONNX Runtime allocates comes on top. */
  readonly memoryMb?: number;
  /** What the handlers write to stdout and stderr. */
  readonly onOutput?: (text: string) => void;
}

/** One local Lambda environment. */
export interface Child {
  /**
   * Sends the invocation and waits. Rejects with a `Lambda.Unknown` StatesError when the process ends, or with the
   * signal's reason, after killing the process, when the signal is aborted.
   */
  invoke(invocation: Invocation, signal: AbortSignal): Promise<Reply>;
  /** Whether it may be invoked again. */
  alive(): boolean;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
}

/**
 * One process is one core's worth of work: threads of the garbage collector would take the others', and 12 % more CPU time in all. And a heap is marked at once, when it
 * is full: in steps it is marked because of what ONNX Runtime returns, which is in no heap and soon gone, and that took 4 to 8 % of the bounds of convolutional networks (bench/README.md).
 */
const collectorOptions = ['--single-threaded-gc', '--no-incremental-marking'];

/** Characters of stderr kept for the cause of a crash. */
const stderrTail = 4_000;

/** Starts a process. Nothing is sent to it before the first invoke. */
export function startChild(options: ChildOptions): Child {
  const child = fork(options.entry, [], {
    env: { ...process.env, ...options.env },
    execArgv: [
      ...collectorOptions,
      ...(options.memoryMb === undefined ? [] : [`--max-old-space-size=${options.memoryMb}`]),
    ],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let stderr = '';
  child.stdout!.setEncoding('utf8').on('data', (text: string) => options.onOutput?.(text));
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-stderrTail);
    options.onOutput?.(text);
  });
  let ended: StatesError | undefined;
  const gone = new Promise<StatesError>((resolve) => {
    const end = (error: StatesError) => {
      ended ??= error;
      resolve(ended);
    };
    // A process that cannot be started has an error and no close; one that ends has a close, after its last output.
    child.on('error', (error) => {
      if (child.pid === undefined) end(crash(`could not start: ${error.message}`, stderr));
    });
    child.on('close', (code, signal) => end(crash(howItEnded(code, signal), stderr, code, signal)));
  });
  const kill = async () => {
    child.kill('SIGKILL');
    await gone;
  };
  return {
    alive: () => ended === undefined && child.connected,
    kill,
    invoke: (invocation, signal) => converse(child, invocation, signal, gone, kill),
  };
}

async function converse(
  child: ChildProcess,
  invocation: Invocation,
  signal: AbortSignal,
  gone: Promise<StatesError>,
  kill: () => Promise<void>,
): Promise<Reply> {
  let answered: (reply: Reply) => void = () => {};
  let stop: () => void = () => {};
  try {
    return await new Promise<Reply>((resolve, reject) => {
      answered = resolve;
      stop = () => void kill().then(() => reject(signal.reason));
      child.once('message', answered);
      gone.then((error) => reject(signal.aborted ? signal.reason : error));
      if (signal.aborted) return stop();
      signal.addEventListener('abort', stop);
      // A failure to send means that the process is ending, which `gone` reports with its reason.
      child.send(invocation, () => {});
    });
  } finally {
    child.off('message', answered);
    signal.removeEventListener('abort', stop);
  }
}

function howItEnded(code: number | null, signal: NodeJS.Signals | null): string {
  return signal === null ? `exited with code ${code}` : `was ended by signal ${signal}`;
}

/** Lambda has no error type for a process that ends: Step Functions calls it `Lambda.Unknown`. */
function crash(how: string, stderr: string, code: number | null = null, signal: string | null = null): StatesError {
  const cause = {
    errorType: 'Lambda.Unknown',
    errorMessage: `the process of the function ${how}`,
    ...(code === null ? {} : { exitCode: code }),
    ...(signal === null ? {} : { signal }),
    stderr,
  };
  return new StatesError('Lambda.Unknown', JSON.stringify(cause));
}
