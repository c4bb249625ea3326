import { fileStorage } from '../../lib/storage/files';
import type { Storage } from '../../lib/storage/storage';
import { StatesError } from '../../lib/workflow/interpreter/errors';
import type { ExecutionResult } from '../../lib/workflow/interpreter/execute';
import { runLocally } from '../../lib/workflow/local';
import { failureOf } from '../../lib/workflow/pool/failure';

/** What the functions have written, to stdout and stderr: a line of JSON each. */
export type Line = Readonly<Record<string, unknown>>;

export interface LambdaRun {
  readonly result: ExecutionResult;
  readonly lines: readonly Line[];
}

type Handlers = Readonly<Record<string, (event: unknown) => Promise<unknown>>>;
let handlers: Handlers | undefined;

/** The functions, loaded as on AWS: what they write and count is chosen by the environment in which they are loaded. */
function load(): Handlers {
  process.env.AWS_LAMBDA_FUNCTION_NAME = 'test';
  process.env.POWERTOOLS_SERVICE_NAME = 'Trial';
  const handlerOf = (name: string): Handlers[string] => require(`../../functions/${name}`).handler;
  const names = ['plan', 'verify', 'coordinate', 'report'];
  return Object.fromEntries(names.map((name) => [name, handlerOf(name)]));
}

/** Runs what has been asked for in a folder, with the functions in this process as Lambdas. */
export async function lambdaRun(folder: string, run: string, asked: (storage: Storage) => Promise<unknown>) {
  handlers ??= load();
  const storage = fileStorage(folder);
  await asked(storage);
  process.env.BAVERLY_ROOT = folder;
  const lines: Line[] = [];
  const streams = [process.stdout, process.stderr].map((stream) =>
    jest.spyOn(stream, 'write').mockImplementation((text) => {
      for (const line of String(text).split('\n')) if (line !== '') lines.push(JSON.parse(line));
      return true;
    }),
  );
  try {
    const result = await runLocally({
      storage,
      bucket: 'b',
      pool: { invoke: async (name, payload) => ({ payload: await call(name, payload), cpuSeconds: 0 }) },
      concurrency: 1,
      input: { kind: 'run', bucket: 'b', run },
    });
    return { result, lines } satisfies LambdaRun;
  } finally {
    for (const stream of streams) stream.mockRestore();
    delete process.env.BAVERLY_ROOT;
  }
}

async function call(name: string, payload: unknown): Promise<unknown> {
  try {
    return await handlers![name](payload);
  } catch (error) {
    const { error: title, cause } = failureOf(error);
    throw new StatesError(title, cause);
  }
}

/** A figure in one combination of dimensions, as CloudWatch reads it from a line in its embedded metric format. */
export interface Figure {
  readonly name: string;
  readonly namespace: string;
  readonly dimensions: Readonly<Record<string, unknown>>;
  readonly value: unknown;
}

interface Directive {
  readonly Namespace: string;
  readonly Dimensions: readonly (readonly string[])[];
  readonly Metrics: readonly { readonly Name: string }[];
}

/** The figures of all lines. */
export function figuresIn(lines: readonly Line[]): Figure[] {
  return lines.flatMap((line) => {
    const { CloudWatchMetrics = [] } = (line._aws ?? {}) as { CloudWatchMetrics?: readonly Directive[] };
    return CloudWatchMetrics.flatMap(({ Namespace: namespace, Dimensions, Metrics }) =>
      Dimensions.flatMap((names) => {
        const dimensions = Object.fromEntries(names.map((name) => [name, line[name]]));
        return Metrics.map(({ Name: name }) => ({ name, namespace, dimensions, value: line[name] }));
      }),
    );
  });
}
