import { modelHash } from '../../lib/network/hash';
import { networkLimits } from '../../lib/network/limits';
import { readRequest } from '../../lib/pipeline/records';
import { dispatchAudit } from '../../lib/policy/audit';
import { dispatchUpload, uploadOf } from '../../lib/policy/dispatch';
import { testContext } from './context';

const policy = { version: 1, models: 'models/mnist-*.onnx', dataset: 'datasets/mnist', epsilons: ['0.02'] };
const model = 'models/mnist-2.onnx';

async function contextWith(policies: Readonly<Record<string, unknown>>, models: readonly string[] = [model]) {
  const context = testContext();
  for (const [name, value] of Object.entries(policies)) {
    await context.storage.put(`policies/${name}.json`, typeof value === 'string' ? value : JSON.stringify(value));
  }
  for (const key of models) await context.storage.put(key, key);
  return context;
}

const keysBelow = async ({ storage }: ReturnType<typeof testContext>, prefix: string) =>
  (await storage.list(prefix)).map(({ key }) => key);

test('what EventBridge tells of an upload', () => {
  const event = (object: object) => ({
    source: 'aws.s3' as const,
    'detail-type': 'Object Created' as const,
    detail: { object: { key: model, ...object } },
  });
  expect(uploadOf(event({ etag: 'e' }))).toEqual({ model });
  expect(uploadOf(event({ 'version-id': 'v7' }))).toEqual({ model, versionId: 'v7' });
});

describe('an upload', () => {
  test('runs every policy that matches, with all that the policy says', async () => {
    const asked = {
      ...policy,
      secondsPerBall: 5,
      seed: 3,
      workers: 7,
      first: 9,
      maxUsd: 2,
      maxSeconds: 60,
      preprocessing: { mean: [0.5] },
      thresholds: { cleanAccuracy: 0.9 },
      notify: ['a@example.org'],
    };
    const context = await contextWith({
      nightly: asked,
      wide: { ...policy, models: 'models/**' },
      other: { ...policy, models: 'models/cifar-*.onnx' },
    });
    const { runs, problems } = await dispatchUpload({ model, versionId: 'v1' }, context);
    expect(runs.map((run) => run.policy)).toEqual(['nightly', 'wide']);
    expect(problems).toEqual([]);
    expect(context.started).toEqual(runs.map(({ run }) => run));
    expect(context.started[0]).toMatch(/^nightly-mnist-2-[0-9a-f]{16}$/);
    expect(context.published).toEqual([]);
    expect(await readRequest(context.storage, context.started[0])).toEqual({
      version: 1,
      model,
      dataset: 'datasets/mnist',
      epsilons: [{ text: '0.02', value: 0.02 }],
      first: 9,
      mode: 'batch',
      secondsPerBall: 5,
      seed: 3,
      workers: 7,
      acceptLowAccuracy: false,
      maxUsd: 2,
      maxSeconds: 60,
      preprocessing: { mean: [0.5] },
      policy: {
        name: 'nightly',
        version: expect.stringMatching(/^[0-9a-f]{64}$/),
        occasion: 'upload',
        modelHash: modelHash(Buffer.from(model)),
        thresholds: { cleanAccuracy: 0.9, certified: [] },
        notify: ['a@example.org'],
        recheck: 0.05,
      },
    });
  });

  test('delivered again, also at the same time, is the same run and the same record', async () => {
    const context = await contextWith({ p: policy });
    const records = await Promise.all([1, 2, 3].map(() => dispatchUpload({ model }, context)));
    records.push(await dispatchUpload({ model, versionId: 'v2' }, context));
    expect(context.started).toHaveLength(1);
    expect(records.flatMap(({ runs }) => runs.map(({ state }) => state)).sort()).toEqual([
      ...['exists', 'exists', 'exists'],
      'started',
    ]);
    expect(await keysBelow(context, 'runs/')).toEqual([`runs/${context.started[0]}/request.json`]);
    expect(await keysBelow(context, 'dispatches/')).toHaveLength(1);
  });

  test('of another content, or under another policy, is another run; the same content written again is not', async () => {
    const context = await contextWith({ p: policy });
    await dispatchUpload({ model }, context);
    await context.storage.put(model, 'version 2');
    await dispatchUpload({ model }, context);
    await context.storage.put(model, model);
    await dispatchUpload({ model }, context);
    expect(context.started).toHaveLength(2);
    await context.storage.put('policies/p.json', JSON.stringify({ ...policy, seed: 9 }));
    await dispatchUpload({ model }, context);
    expect(new Set(context.started).size).toBe(3);
  });

  test('whose first delivery broke off before the start is started by the next', async () => {
    const context = await contextWith({ p: policy });
    const broken = { ...context, startRun: () => Promise.reject(new Error('no connection')) };
    await expect(dispatchUpload({ model }, broken)).rejects.toThrow('no connection');
    expect((await dispatchUpload({ model }, context)).runs).toMatchObject([{ state: 'started' }]);
  });

  test('of a run that has ended starts nothing, although Step Functions has forgotten the name', async () => {
    for (const end of ['report.json', 'failure.json']) {
      const context = await contextWith({ p: policy });
      const { runs } = await dispatchUpload({ model }, context);
      await context.storage.put(`runs/${runs[0].run}/${end}`, '{}');
      context.started.length = 0;
      expect((await dispatchUpload({ model }, context)).runs).toMatchObject([{ state: 'exists' }]);
      expect(context.started).toEqual([]);
    }
  });

  test.each([
    ['no policy at all', {}, /no policy is about models\/mnist-2\.onnx: there is none/],
    ['no policy for the model', { p: { ...policy, models: 'models/x*' } }, /there are p \(models\/x\*\)/],
  ])('with %s is recorded and published, once', async (_, policies, why) => {
    const context = await contextWith(policies);
    for (const _ of [1, 2]) {
      expect(await dispatchUpload({ model }, context)).toMatchObject({
        runs: [],
        problems: [expect.stringMatching(why)],
      });
    }
    expect(context.published).toMatchObject([
      { type: 'Model Not Verified', model, message: expect.stringMatching(why) },
    ]);
    expect(await keysBelow(context, 'dispatches/')).toHaveLength(1);
  });

  test('of a model that is gone is recorded and published', async () => {
    const context = await contextWith({ p: policy }, []);
    expect(await dispatchUpload({ model }, context)).toMatchObject({
      runs: [],
      problems: [expect.stringMatching(/is not there/)],
    });
    expect(context.published).toMatchObject([{ type: 'Model Not Verified', model }]);
  });

  test('with a policy that cannot be read runs the others, and tells', async () => {
    const context = await contextWith({ good: policy, bad: { ...policy, workers: 0 } });
    const { runs, problems } = await dispatchUpload({ model }, context);
    expect(runs).toMatchObject([{ policy: 'good', state: 'started' }]);
    expect(problems).toEqual([expect.stringMatching(/^policies\/bad\.json: \$\.workers: /)]);
    expect(context.published).toMatchObject([{ type: 'Policy Refused', policy: 'policies/bad.json' }]);
  });

  test('is not recorded where its event was not taken, so that the next delivery tells', async () => {
    const context = await contextWith({});
    const deaf = { ...context, events: { publish: () => Promise.reject(new Error('throttled')) } };
    await expect(dispatchUpload({ model }, deaf)).rejects.toThrow('throttled');
    await dispatchUpload({ model }, context);
    expect(context.published).toHaveLength(1);
  });

  test('names are of what an execution may have, whatever policy and model are called', async () => {
    const long = `team/p ${'long'.repeat(30)}`;
    const context = await contextWith({ [long]: { ...policy, models: 'models/**' } }, [
      'models/a/ü ß%.onnx',
      'models/b.onnx',
    ]);
    await dispatchUpload({ model: 'models/a/ü ß%.onnx' }, context);
    await dispatchUpload({ model: 'models/b.onnx' }, context);
    expect(context.started).toEqual([1, 2].map(() => expect.stringMatching(/^[A-Za-z0-9_-]{1,80}$/)));
    expect(new Set(context.started).size).toBe(2);
  });
});

describe('a model that is larger than any that is read', () => {
  const bytes = networkLimits.modelBytes + 1;
  const problem = `${model} has ${bytes} bytes; models of at most ${networkLimits.modelBytes} are read: export a smaller one`;
  const smaller = 'models/mnist-3.onnx';

  /** Storage that says so of its size, and of which nothing of it can be read. */
  async function contextWithLarge(asked: object) {
    const context = await contextWith({ p: asked }, [model, smaller]);
    const { storage } = context;
    const refuse = (key: string) => key === model && Promise.reject(new Error(`${key} is read`));
    return {
      ...context,
      storage: {
        ...storage,
        get: (key: string) => refuse(key) || storage.get(key),
        getRange: (key: string, start: number, end: number) => refuse(key) || storage.getRange(key, start, end),
        list: async (prefix: string) =>
          (await storage.list(prefix)).map((object) => (object.key === model ? { ...object, size: bytes } : object)),
      },
    };
  }

  test('starts nothing when it is uploaded: that is recorded and told, once', async () => {
    const context = await contextWithLarge(policy);
    const { runs, problems } = await dispatchUpload({ model }, context);
    expect({ runs, problems }).toEqual({ runs: [], problems: [problem] });
    expect((await dispatchUpload({ model }, context)).problems).toEqual([problem]);
    expect(context.published).toMatchObject([{ type: 'Model Not Verified', model, problems: [problem] }]);
    expect(context.started).toEqual([]);
    expect(await keysBelow(context, 'dispatches/')).toHaveLength(1);
  });

  test('is left out of the night, which verifies the others and tells whom the policy names', async () => {
    const context = await contextWithLarge({ ...policy, audit: 'nightly', notify: ['a@example.org'] });
    const night = { scheduled: '2026-11-20T02:00:00Z' };
    const { runs, problems } = await dispatchAudit(night, context);
    expect(runs.map((run) => run.model)).toEqual([smaller]);
    expect(problems).toEqual([problem]);
    await dispatchAudit(night, context);
    expect(context.published).toMatchObject([
      { type: 'Model Not Verified', policy: 'p', model, notify: ['a@example.org'], problems: [problem] },
    ]);
  });
});

describe('a night', () => {
  const models = ['models/cifar-1.onnx', 'models/mnist-1.onnx', 'models/mnist-2.onnx', 'models/mnist-notes.txt'];
  const night = { scheduled: '2026-11-20T02:00:00Z' };

  test('runs every model of the policies that ask for it, once', async () => {
    const context = await contextWith({ p: { ...policy, audit: 'nightly' }, q: policy }, models);
    const { runs } = await dispatchAudit(night, context);
    expect(runs.map((run) => run.model)).toEqual(['models/mnist-1.onnx', 'models/mnist-2.onnx']);
    expect((await dispatchAudit(night, context)).runs.map(({ state }) => state)).toEqual(['exists', 'exists']);
    expect(context.started).toHaveLength(2);
    await dispatchAudit({ scheduled: '2026-11-21T02:00:00Z' }, context);
    expect(new Set(context.started).size).toBe(4);
    const requests = await Promise.all(context.started.map((name) => readRequest(context.storage, name)));
    expect(requests.every((request) => request.policy?.occasion === 'audit')).toBe(true);
    // A seed for each night.
    expect(new Set(requests.map(({ seed }) => seed)).size).toBe(2);
  });

  test('is another run than the upload of the same version', async () => {
    const context = await contextWith({ p: { ...policy, audit: 'nightly' } });
    await dispatchUpload({ model }, context);
    await dispatchAudit(night, context);
    expect(new Set(context.started).size).toBe(2);
  });

  test('that verifies nothing by a policy, and policies that cannot be read, are told', async () => {
    const idle = { ...policy, audit: 'nightly', models: 'models/x*.onnx', notify: ['a@example.org'] };
    const context = await contextWith({ idle, bad: '{' }, models);
    const { runs, problems } = await dispatchAudit(night, context);
    expect(runs).toEqual([]);
    expect(problems).toEqual([
      expect.stringMatching(/^policies\/bad\.json: /),
      'policy idle: no model matches models/x*.onnx',
    ]);
    expect(context.published).toMatchObject([
      { type: 'Policy Refused' },
      { type: 'Model Not Verified', policy: 'idle', notify: ['a@example.org'] },
    ]);
    await dispatchAudit(night, context);
    expect(context.published).toHaveLength(2);
  });
});
