import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { DispatchContext } from '../../lib/policy/dispatch';
import type { PolicyEvent } from '../../lib/policy/events';
import { startTriggers } from '../../lib/serve/triggers';
import { fileStorage } from '../../lib/storage/files';
import { temporaryFolder } from '../support/folder';

const folder = temporaryFolder();
let roots = 0;

/** A root with a policy about `models/m*.onnx`; `failures`: so many starts of runs fail. */
async function setUp({ failures = 0, root = path.join(folder, String(++roots)) } = {}) {
  const storage = fileStorage(root);
  const policy = { version: 1, models: 'models/m*.onnx', dataset: 'datasets/d', epsilons: ['0.1'], audit: 'nightly' };
  await storage.put('policies/p.json', JSON.stringify(policy));
  const started: string[] = [];
  const lines: string[] = [];
  const published: PolicyEvent[] = [];
  let left = failures;
  const context: DispatchContext = {
    storage,
    bucket: 'b',
    async startRun(name) {
      if (left-- > 0) throw new Error('the machine is busy');
      if (started.includes(name)) return 'exists';
      started.push(name);
      return 'started';
    },
    events: { publish: async (events) => void published.push(...events) },
  };
  const begin = (more: object = {}) =>
    startTriggers({ root, context, log: (line) => lines.push(line), waits: [1], ...more });
  const noted = () => {
    const notes = path.join(root, '%serve/uploads-to-dispatch');
    return existsSync(notes) ? readdirSync(notes).length : 0;
  };
  return { root, storage, started, lines, published, begin, noted };
}

async function until(condition: () => boolean): Promise<void> {
  for (const begun = Date.now(); !condition(); ) {
    if (Date.now() - begun > 5_000) throw new Error('waited for five seconds');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test('a model that is written starts the runs of its policies, once, and leaves no note', async () => {
  const { storage, started, lines, begin, noted } = await setUp();
  const triggers = await begin();
  await storage.put('models/m1.onnx', 'one');
  await triggers.written('models/m1.onnx');
  await triggers.written('models/m1.onnx');
  for (const key of ['models/readme.txt', 'runs/m.onnx', 'datasets/d/inputs.bin', 'models/sha256/abc']) {
    await triggers.written(key);
  }
  await until(() => noted() === 0);
  await triggers.close();
  expect(started).toEqual([expect.stringMatching(/^p-m1-[0-9a-f]{16}$/)]);
  expect(lines.filter((line) => line.includes('starts'))).toHaveLength(1);
});

test('a model that no policy is about is told of', async () => {
  const { storage, published, begin, noted } = await setUp();
  const triggers = await begin();
  await storage.put('models/other.onnx', 'x');
  await triggers.written('models/other.onnx');
  await until(() => noted() === 0);
  await triggers.close();
  expect(published).toMatchObject([{ type: 'Model Not Verified', model: 'models/other.onnx' }]);
});

test('a dispatch that fails is tried again, and if need be by the next server', async () => {
  const again = await setUp({ failures: 1 });
  const first = await again.begin();
  await again.storage.put('models/m.onnx', 'x');
  await first.written('models/m.onnx');
  await until(() => again.noted() === 0);
  await first.close();
  expect([again.started.length, again.lines[0]]).toEqual([1, expect.stringContaining('the machine is busy')]);

  const never = await setUp({ failures: 2 });
  const second = await never.begin();
  await never.storage.put('models/m.onnx', 'x');
  await second.written('models/m.onnx');
  await until(() => never.lines.length === 2);
  await second.close();
  expect([never.started, never.noted()]).toEqual([[], 1]);
  const next = await setUp({ root: never.root });
  const third = await next.begin();
  await until(() => next.noted() === 0);
  await third.close();
  expect(next.started).toHaveLength(1);
});

test('an audit that is asked for at the start is one, without a clock', async () => {
  const { storage, started, lines, begin } = await setUp();
  await storage.put('models/m.onnx', 'x');
  const triggers = await begin({ auditNow: true });
  await until(() => started.length > 0);
  await triggers.close();
  expect(started).toHaveLength(1);
  expect(lines).toEqual([expect.stringMatching(/^audit of \d{4}-\d\d-\d\dT\S+\.000Z: run p-m-\S+ starts$/)]);
});

test('the clock starts audits, each named by its time', async () => {
  const { storage, started, begin, root } = await setUp();
  await storage.put('models/m.onnx', 'x');
  const triggers = await begin({ nightly: '* * * * * *' });
  await until(() => started.length > 0);
  await triggers.close();
  const records = readdirSync(path.join(root, 'dispatches')).filter((name) => name.startsWith('audit-'));
  const { scheduled } = JSON.parse(readFileSync(path.join(root, 'dispatches', records[0]), 'utf8'));
  expect(scheduled).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/);
});
