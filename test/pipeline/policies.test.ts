import { BadInputError } from '../../lib/errors';
import { readRequest } from '../../lib/pipeline/records';
import { resolveEvent } from '../../lib/pipeline/resolve';
import { planOutputSchema, type UploadEvent } from '../../lib/workflow/events';
import { contentOf } from '../support/in-process-run';
import { memoryStorage } from '../support/memory-storage';

const policy = { version: 1, models: 'models/mnist-*.onnx', dataset: 'datasets/mnist', epsilons: ['0.02', '2/255'] };

function upload(key: string, etag = 'e1', sequencer?: string): UploadEvent {
  const object = { key, etag, ...(sequencer !== undefined && { sequencer }) };
  return {
    source: 'aws.s3',
    'detail-type': 'Object Created',
    bucket: 'data',
    detail: { bucket: { name: 'data' }, object },
  };
}
const audit = (scheduled: string) => ({ kind: 'audit' as const, bucket: 'data', scheduled });

async function storageWith(policies: Readonly<Record<string, unknown>>) {
  const storage = memoryStorage();
  for (const [name, value] of Object.entries(policies)) {
    await storage.put(`policies/${name}.json`, typeof value === 'string' ? value : JSON.stringify(value));
  }
  return storage;
}

/** The names of the runs that the event starts. */
async function namesOf(...resolve: Parameters<typeof resolveEvent>): Promise<string[]> {
  const output = planOutputSchema.parse(await resolveEvent(...resolve));
  return output.kind === 'runs' ? output.runs.map(({ name }) => name) : [];
}

test('an upload starts a run for each policy that matches, with its request', async () => {
  const storage = await storageWith({
    nightly: { ...policy, secondsPerBall: 5, seed: 3, workers: 7, first: 9, acceptLowAccuracy: true },
    wide: { ...policy, models: 'models/**' },
    other: { ...policy, models: 'models/cifar-*.onnx' },
  });
  const output = await resolveEvent(storage, upload('models/mnist-2.onnx'));
  expect(output).toEqual({
    kind: 'runs',
    runs: ['nightly', 'wide'].map((name) => {
      const run = expect.stringMatching(new RegExp(`^${name}-mnist-2-[0-9a-f]{16}$`));
      return { name: run, input: { kind: 'run', bucket: 'data', run } };
    }),
  });
  const [nightly] = await namesOf(storage, upload('models/mnist-2.onnx'));
  expect(await readRequest(storage, nightly)).toEqual({
    version: 1,
    model: 'models/mnist-2.onnx',
    dataset: 'datasets/mnist',
    epsilons: [
      { text: '0.02', value: 0.02 },
      { text: '2/255', value: 2 / 255 },
    ],
    first: 9,
    mode: 'batch',
    secondsPerBall: 5,
    seed: 3,
    workers: 7,
    acceptLowAccuracy: true,
  });
});

test('the same event twice names the same run and leaves its request alone', async () => {
  const storage = await storageWith({ p: policy });
  const [name] = await namesOf(storage, upload('models/mnist-2.onnx'));
  const stored = await contentOf(storage);
  await storage.put('policies/p.json', JSON.stringify({ ...policy, seed: 9 }));
  expect(await namesOf(storage, upload('models/mnist-2.onnx'))).toEqual([name]);
  expect(await contentOf(storage, 'runs/')).toEqual({
    [`runs/${name}/request.json`]: stored[`runs/${name}/request.json`],
  });
});

test('another version of the model, or the same written again, is another run', async () => {
  const storage = await storageWith({ p: policy });
  const events = [
    upload('models/mnist-2.onnx'),
    upload('models/mnist-2.onnx', 'e2'),
    upload('models/mnist-2.onnx', 'e1', 's'),
  ];
  const names = await Promise.all(events.map((event) => namesOf(storage, event)));
  expect(new Set(names.flat()).size).toBe(3);
});

test('names are of what an execution may have, whatever policy and model are called', async () => {
  const name = `p ${'long'.repeat(30)}`;
  const storage = await storageWith({ [name]: { ...policy, models: 'models/**' } });
  const names = await namesOf(storage, upload('models/a/ü ß%.onnx'));
  expect(names).toHaveLength(1);
  expect(await namesOf(storage, upload('models/b.onnx'))).not.toEqual(names);
});

test('an audit runs every model, for the policies that ask for it, once per night', async () => {
  const storage = await storageWith({ p: { ...policy, audit: true }, q: policy });
  for (const key of ['mnist-1.onnx', 'mnist-2.onnx', 'cifar-1.onnx', 'mnist-notes.txt']) {
    await storage.put(`models/${key}`, 'x');
  }
  const names = await namesOf(storage, audit('2026-11-20T02:00:00Z'));
  expect(names).toEqual([expect.stringMatching(/^p-mnist-1-/), expect.stringMatching(/^p-mnist-2-/)]);
  expect(await namesOf(storage, audit('2026-11-20T02:00:00Z'))).toEqual(names);
  expect(await namesOf(storage, audit('2026-11-21T02:00:00Z'))).not.toEqual(names);
});

test.each([
  ['no policy at all', {}, 'none of 0 policies applies to models/mnist-2.onnx'],
  [
    'no policy for the model',
    { p: { ...policy, models: 'models/x*' } },
    'none of 1 policies applies to models/mnist-2.onnx',
  ],
])('%s: nothing, with the reason', async (_, policies, reason) => {
  const storage = await storageWith(policies);
  expect(await resolveEvent(storage, upload('models/mnist-2.onnx'))).toEqual({ kind: 'nothing', reason });
});

test('an audit without models: nothing, with the reason', async () => {
  const storage = await storageWith({ p: { ...policy, audit: true } });
  expect(await resolveEvent(storage, audit('2026-11-20T02:00:00Z'))).toEqual({
    kind: 'nothing',
    reason: 'none of 1 policies applies to no model',
  });
});

test('a radius is compared with the data set when the run is planned, not here', async () => {
  const storage = await storageWith({ p: { ...policy, epsilons: ['8'] } });
  const [name] = await namesOf(storage, upload('models/mnist-2.onnx'));
  expect((await readRequest(storage, name)).epsilons).toEqual([{ text: '8', value: 8 }]);
});

test('policies that cannot be read: all problems of all, and no run is started', async () => {
  const storage = await storageWith({
    good: policy,
    json: '{',
    fields: { ...policy, version: 2, epsilon: '0.1', workers: 0 },
    radii: { ...policy, epsilons: ['x', '-1'] },
  });
  const error = await resolveEvent(storage, upload('models/mnist-2.onnx')).catch((thrown) => thrown);
  expect(error).toBeInstanceOf(BadInputError);
  const { problems } = error as BadInputError;
  expect(problems).toHaveLength(6);
  expect(problems).toContain('policies/json.json: it is not JSON');
  expect(problems).toContain('policies/radii.json: radius -1 is -1: it must be above 0');
  for (const field of ['version', 'workers', 'Unrecognized key: "epsilon"']) {
    expect(problems).toContainEqual(expect.stringMatching(new RegExp(`^policies/fields\\.json: .*${field}`)));
  }
  expect(await storage.list('runs/')).toEqual([]);
});
