import { BadInputError } from '../../lib/errors';
import { learnedKey, ledgerKey, recordKey, requestKey, stateKey, treesKey } from '../../lib/pipeline/keys';
import { planRun } from '../../lib/pipeline/plan';
import { readRecord } from '../../lib/pipeline/records';
import { unpackIds } from '../../lib/schedule/packed';
import { getText } from '../../lib/storage/storage';
import { batchesOf, contentOf, runToEnd } from '../support/in-process-run';
import { memoryStorage } from '../support/memory-storage';
import { requestRun, type TinySet, tinySet } from '../support/tiny-run';

let set: TinySet;
beforeAll(async () => {
  set = await tinySet({ wrong: 2 });
});

/** The problems of the BadInputError that planning throws. */
async function problemsOfPlan(storage: ReturnType<typeof memoryStorage>): Promise<readonly string[]> {
  const error = await planRun(storage, 'r').catch((thrown) => thrown);
  expect(error).toBeInstanceOf(BadInputError);
  return error.problems;
}

test('the first round tries balls once, few of each label in common mini-batches; the misclassified ones are in the ledger', async () => {
  const storage = memoryStorage();
  await requestRun(storage, 'r', set);
  const round = await planRun(storage, 'r', () => Date.UTC(2026, 10, 20));
  expect(round).toMatchObject({ number: 0, maxConcurrency: 2, done: false, planKey: 'runs/r/rounds/0/plan.jsonl' });

  const batches = await batchesOf(storage, 'r', round);
  expect(batches).toHaveLength(round.batches);
  const balls = batches.flatMap(({ inputs, epsilon, label }) =>
    [...unpackIds(inputs)].map((input) => {
      expect([label].flat()).toContain(set.labels[input]);
      return `${epsilon} ${input}`;
    }),
  );
  const ledger = (await getText(storage, ledgerKey('r', 'plan')))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(ledger.map(({ input, status }) => `${input} ${status}`)).toEqual([
    ...['0 misclassified', '1 misclassified'],
    ...['0 misclassified', '1 misclassified'],
  ]);
  const all = [...balls, ...ledger.map(({ epsilon, input }) => `${epsilon} ${input}`)];
  expect(balls.length).toBeGreaterThan(10);
  expect(new Set(all).size).toBe(all.length);

  expect(await readRecord(storage, 'r')).toMatchObject({
    id: 'r',
    inputs: 60,
    classes: 3,
    cleanAccuracy: 58 / 60,
    datasetName: 'tiny',
    startedAt: '2026-11-20T00:00:00.000Z',
  });
});

test('planned twice, the plan and all that is stored stay the same', async () => {
  const storage = memoryStorage();
  await requestRun(storage, 'r', set);
  const round = await planRun(storage, 'r');
  const stored = await contentOf(storage);
  expect(await planRun(storage, 'r')).toEqual(round);
  expect(await contentOf(storage)).toEqual(stored);
});

test('a plan that was cut off by a crash before its state was written is made again', async () => {
  const storage = memoryStorage();
  await requestRun(storage, 'r', set);
  const round = await planRun(storage, 'r', () => 1_000);
  const stored = await contentOf(storage);
  const cut = memoryStorage();
  for (const key of Object.keys(stored)) {
    if (![stateKey('r', 0), treesKey('r'), round.planKey].includes(key)) await cut.put(key, await storage.get(key));
  }
  expect(await planRun(cut, 'r', () => 2_000)).toEqual(round);
  expect(await contentOf(cut)).toEqual(stored);
});

test('planned again after rounds, it goes on with the round after the last one merged', async () => {
  const storage = memoryStorage();
  await requestRun(storage, 'r', set);
  const rounds = await runToEnd(storage, 'r');
  expect(rounds.length).toBeGreaterThan(1);
  expect(await planRun(storage, 'r')).toEqual(rounds.at(-1));
});

test('only the first inputs', async () => {
  const storage = memoryStorage();
  await requestRun(storage, 'r', set, { first: 5 });
  const batches = await batchesOf(storage, 'r', await planRun(storage, 'r'));
  expect(new Set(batches.flatMap(({ inputs }) => [...unpackIds(inputs)]))).toEqual(new Set([2, 3, 4]));
});

test('with nothing to verify it is done at once', async () => {
  const storage = memoryStorage();
  await requestRun(storage, 'r', set, { first: 2 });
  expect(await planRun(storage, 'r')).toMatchObject({ number: 0, batches: 0, planKey: '', done: true });
});

test('near chance is refused unless accepted', async () => {
  const storage = memoryStorage();
  const turned = await tinySet({ wrong: 40 });
  await requestRun(storage, 'r', turned);
  const [problem, ...others] = await problemsOfPlan(storage);
  expect(others).toEqual([]);
  expect(problem).toMatch(/^the model classifies 20 of 60 inputs .* as labelled, no better than guessing/);
  expect(problem).toContain('--accept-low-accuracy (acceptLowAccuracy in a policy)');
  await expect(storage.get(recordKey('r'))).rejects.toThrow('no object with key');
  await requestRun(storage, 'r', turned, { acceptLowAccuracy: true });
  expect(await planRun(storage, 'r')).toMatchObject({ done: false });
});

test('labels and radii of a request are compared with model and data set, all at once', async () => {
  const storage = memoryStorage();
  const epsilons = [
    { text: '8', value: 8 },
    { text: '1.5', value: 1.5 },
  ];
  await requestRun(storage, 'r', { ...set, labels: set.labels.map((label) => label + 1) }, { epsilons });
  const problems = await problemsOfPlan(storage);
  expect(problems).toHaveLength(3);
  expect(problems[0]).toContain('labels are not classes of the model (0 to 2)');
  expect(problems[1]).toContain('radius 8 is wider than the valid range [0, 1]');
});

test('a radius whose text is another number is refused', async () => {
  const storage = memoryStorage();
  await requestRun(storage, 'r', set, { epsilons: [{ text: '2/255', value: 0.02 }] });
  expect(await problemsOfPlan(storage)).toEqual(['radius 2/255 of the request has the value 0.02']);
});

test('a request that is missing or damaged', async () => {
  const storage = memoryStorage();
  await expect(planRun(storage, 'r')).rejects.toThrow('no object with key runs/r/request.json');
  await storage.put(requestKey('r'), '{"version": 1, "seed": -1}');
  const problems = await problemsOfPlan(storage);
  for (const field of ['model', 'dataset', 'epsilons', 'seed']) {
    expect(problems).toContainEqual(expect.stringMatching(new RegExp(`^${field}: `)));
  }
});

test('a model that cannot be read', async () => {
  const storage = memoryStorage();
  await requestRun(storage, 'r', { ...set, model: Uint8Array.of(1, 2, 3) });
  expect(await problemsOfPlan(storage)).toEqual([expect.stringContaining('is not an ONNX file')]);
});

test('what was learned before is used; damaged, it is left', async () => {
  const storage = memoryStorage();
  await requestRun(storage, 'r', set);
  await runToEnd(storage, 'r');
  const { modelHash } = await readRecord(storage, 'r');
  expect(JSON.parse(await getText(storage, learnedKey(modelHash)))).toEqual(expect.any(Object));
  await storage.put(learnedKey(modelHash), 'damaged');
  await requestRun(storage, 'again', set);
  expect(await planRun(storage, 'again')).toMatchObject({ done: false });
});
