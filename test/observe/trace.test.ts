type Trace = typeof import('../../lib/observe/trace');

/** The module as it is where the environment is this; `load` stands for the modules of Powertools. */
function traceIn(environment: Record<string, string>, load: () => unknown): Trace {
  const before = { ...process.env };
  Object.assign(process.env, environment);
  let trace: Trace | undefined;
  jest.isolateModules(() => {
    jest.doMock('@aws-lambda-powertools/tracer', load);
    trace = require('../../lib/observe/trace');
  });
  process.env = before;
  return trace!;
}

const lambda = { AWS_LAMBDA_FUNCTION_NAME: 'verify', AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x' };
const notLoaded = () => {
  throw new Error('loaded');
};

test.each([
  ['on one machine', {}],
  ['where it is switched off', { ...lambda, POWERTOOLS_TRACE_ENABLED: 'false' }],
])('%s nothing is loaded, and the work is just done', async (_, environment) => {
  const { annotate, traced, tracedClient, tracedStep } = traceIn(environment, notLoaded);
  const client = {};
  expect(tracedClient(client)).toBe(client);
  annotate({ run: 'r' });
  expect(await tracedStep('bounds', async () => 3)).toBe(3);
  await expect(traced('plan', () => Promise.reject(new RangeError('no')))({})).rejects.toThrow(RangeError);
});

test('on Lambda a step is a subsegment that ends with it, with its error', async () => {
  const seen: string[] = [];
  const provider = {
    captureAsyncFunc(name: string, work: (subsegment: { close(): void }) => unknown) {
      seen.push(`begin ${name}`);
      return work({ close: () => seen.push(`end ${name}`) });
    },
  };
  class Tracer {
    readonly provider = provider;
    isTracingEnabled = () => true;
    addErrorAsMetadata = (error: Error) => void seen.push(error.message);
    putAnnotation = (key: string, value: unknown) => void seen.push(`${key} ${value}`);
    captureAWSv3Client = (client: object) => ({ ...client, captured: true });
  }
  const { annotate, traced, tracedClient, tracedStep } = traceIn(lambda, () => ({ Tracer }));
  const handler = traced('verify', async () => {
    annotate({ run: 'r', round: 2 });
    return tracedStep('bounds', () => Promise.reject(new RangeError('too wide')));
  });
  await expect(handler({})).rejects.toThrow('too wide');
  expect(seen).toEqual([
    ...['begin verify', 'run r', 'round 2', 'begin bounds', 'too wide', 'end bounds', 'too wide', 'end verify'],
  ]);
  expect(tracedClient({})).toEqual({ captured: true });
});

test('a step whose trace cannot be sent is done all the same', async () => {
  const close = () => {
    throw new Error('too large');
  };
  const provider = {
    captureAsyncFunc: (_: string, work: (subsegment: { close(): void }) => unknown) => work({ close }),
  };
  class Tracer {
    readonly provider = provider;
    isTracingEnabled = () => true;
  }
  const warned = jest.spyOn(console, 'warn').mockImplementation(() => {});
  const { tracedStep } = traceIn(lambda, () => ({ Tracer }));
  expect(await tracedStep('bounds', async () => 3)).toBe(3);
  expect(warned).toHaveBeenCalledWith('{"message":"step not traced","name":"bounds","error":"too large"}');
  warned.mockRestore();
});
