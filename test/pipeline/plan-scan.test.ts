import { coordinateRound } from '../../lib/pipeline/coordinate';
import { chunkKey, planKey, scanPlanKey, stateKey, treesKey } from '../../lib/pipeline/keys';
import { planRun } from '../../lib/pipeline/plan';
import { chunkSchema, finishScan, type ScanLimits, scanChunk } from '../../lib/pipeline/plan-scan';
import { readLines } from '../../lib/pipeline/records';
import { reportRun } from '../../lib/pipeline/report';
import { createVerifier } from '../../lib/pipeline/verify';
import { readReport } from '../../lib/report/json';
import { decodeState } from '../../lib/schedule/state-file';
import { getJson, type Storage } from '../../lib/storage/storage';
import { runLocally } from '../../lib/workflow/local';
import { megabyte } from '../support/in-process-run';
import { memoryStorage } from '../support/memory-storage';
import { requestRun, type TinySet, tinySet } from '../support/tiny-run';

const limits: ScanLimits = { inputs: 20, bytes: 1e9, chunkInputs: 7, chunkBytes: 1e9 };
const now = () => 0;

/** What the state machine calls the functions with, as far as these tests read it. */
interface Payload {
  readonly chunk?: unknown;
  readonly scanned?: unknown;
  readonly batch?: unknown;
  readonly round?: { readonly number: number };
}

let set: TinySet;
beforeAll(async () => {
  set = await tinySet({ count: 60, wrong: 2 });
});

const plan = (storage: Storage) => planRun(storage, 'r', now, {}, limits);
const chunksOf = (storage: Storage) => readLines(storage, scanPlanKey('r'), chunkSchema);

/** Looks at the chunks in a strange order. */
async function scan(storage: Storage): Promise<void> {
  for (const chunk of (await chunksOf(storage)).reverse()) await scanChunk(storage, chunk);
}

test('planned in chunks of any order, a run is the same as planned at once', async () => {
  const [once, chunked] = [memoryStorage(), memoryStorage()];
  for (const storage of [once, chunked]) await requestRun(storage, 'r', set);
  const round = await planRun(once, 'r', now);
  expect(await plan(chunked)).toMatchObject({ scan: true, batches: 9, done: false });
  await scan(chunked);
  expect(await finishScan(chunked, 'r', now)).toEqual(round);
  for (const key of [treesKey('r'), planKey('r', 0)]) expect(await chunked.get(key)).toEqual(await once.get(key));
  const states = [once, chunked].map(async (storage) => decodeState(await storage.get(stateKey('r', 0))));
  expect(await states[1]).toEqual(await states[0]);
});

test('inputs are read by range, never whole', async () => {
  const storage = memoryStorage();
  await requestRun(storage, 'r', set);
  const whole: string[] = [];
  const watched: Storage = {
    ...storage,
    get(key) {
      whole.push(key);
      return storage.get(key);
    },
  };
  await plan(watched);
  await scan(watched);
  await finishScan(watched, 'r', now);
  expect(whole).toContain('datasets/tiny/labels.bin');
  expect(whole).not.toContain('datasets/tiny/inputs.bin');
});

test('the problems of all chunks are told together, with their places', async () => {
  const inputs = set.inputs.map((input, i) => (i === 3 || i === 40 ? input.map(() => 2) : input));
  const storage = memoryStorage();
  await requestRun(storage, 'r', { ...set, inputs });
  await plan(storage);
  await scan(storage);
  await expect(finishScan(storage, 'r', now)).rejects.toMatchObject({
    name: 'BadInputError',
    problems: [
      expect.stringMatching(/^inputs 0 to 6.*outside.*input 3/),
      expect.stringMatching(/^inputs 35 to 41.*input 5/),
    ],
  });
});

test('a run of more balls than one may have is refused before its inputs are looked at', async () => {
  const storage = memoryStorage();
  const epsilons = Array.from({ length: 100 }, (_, i) => ({ text: `${i + 1}/1000`, value: (i + 1) / 1000 }));
  await requestRun(storage, 'r', set, { epsilons });
  const key = 'datasets/tiny/dataset.json';
  await storage.put(key, JSON.stringify({ ...((await getJson(storage, key)) as object), count: 100_001 }));
  const unread: Storage = {
    ...storage,
    getRange: (name, start, end) =>
      name.endsWith('.bin') ? Promise.reject(new Error(`${name} is read`)) : storage.getRange(name, start, end),
  };
  await expect(plan(unread)).rejects.toMatchObject({
    name: 'BadInputError',
    problems: [
      expect.stringMatching(/^100001 inputs at 100 radii are 10000100 balls, of which a run has at most 5000000:/),
    ],
  });
});

test('a data set that was changed is refused, a chunk is looked at once', async () => {
  const storage = memoryStorage();
  await requestRun(storage, 'r', set);
  await plan(storage);
  const [chunk] = await chunksOf(storage);
  await scanChunk(storage, chunk);
  const found = await storage.get(chunkKey('r', 0));
  await storage.put('datasets/tiny/inputs.bin', new Uint8Array(60 * 16));
  expect(await scanChunk(storage, chunk)).toEqual({ chunk: 0, problems: 0 });
  expect(await storage.get(chunkKey('r', 0))).toEqual(found);
  await expect(plan(storage)).rejects.toThrow(/differs from the hash/);
  await storage.put('datasets/tiny/inputs.bin', new Uint8Array(60 * 16 - 1));
  await expect(plan(storage)).rejects.toThrow(/inputs.bin ends before byte 960/);
});

test('the state machine scans, clusters and goes on to the report', async () => {
  const storage = memoryStorage();
  await requestRun(storage, 'r', set);
  const verifier = createVerifier(256 * megabyte);
  const run = { id: 'r', bucket: 'b' };
  const functions: Record<string, (payload: Payload) => Promise<unknown>> = {
    async plan(payload) {
      if (payload.chunk !== undefined) return scanChunk(storage, payload.chunk);
      return { run, round: payload.scanned !== undefined ? await finishScan(storage, 'r') : await plan(storage) };
    },
    verify: async (payload) => verifier.verify(storage, payload.batch),
    coordinate: async (payload) => ({ run, round: await coordinateRound(storage, 'r', payload.round!.number, []) }),
    report: async () => reportRun(storage, 'r', undefined),
  };
  const types: string[] = [];
  const result = await runLocally({
    storage,
    bucket: 'b',
    pool: { invoke: async (name, payload) => ({ payload: await functions[name](payload as Payload), cpuSeconds: 0 }) },
    concurrency: 2,
    input: { kind: 'run', bucket: 'b', run: 'r' },
    onEvent: (event) =>
      types.push(`${event.kind === 'history' ? event.type : event.kind} ${'state' in event ? event.state : ''}`),
  });
  expect(result.status).toBe('SUCCEEDED');
  expect(types.filter((type) => type === 'item Scan')).toHaveLength(9);
  expect((await readReport(storage, 'runs/r')).status).toBe('done');
});
