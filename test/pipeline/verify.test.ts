import { parseNpy } from '../../lib/dataset/npy';
import { resultKey } from '../../lib/pipeline/keys';
import { planRun } from '../../lib/pipeline/plan';
import { readJson } from '../../lib/pipeline/records';
import { createVerifier } from '../../lib/pipeline/verify';
import { unpackIds } from '../../lib/schedule/packed';
import { batchResultSchema, type MiniBatch } from '../../lib/schedule/records';
import type { Storage } from '../../lib/storage/storage';
import { batchesOf, contentOf, megabyte } from '../support/in-process-run';
import { memoryStorage } from '../support/memory-storage';
import { scoresBy } from '../support/property';
import { requestRun, type TinySet, tinySet } from '../support/tiny-run';

let set: TinySet;
let storage: Storage;
let batches: MiniBatch[];
beforeEach(async () => {
  set ??= await tinySet();
  storage = memoryStorage();
  await requestRun(storage, 'r', set);
  batches = await batchesOf(storage, 'r', await planRun(storage, 'r'));
});

const resultOf = ({ round, id }: MiniBatch) => readJson(storage, resultKey('r', round, id), batchResultSchema);

test('every member of a mini-batch has one result, and the answer counts them', async () => {
  const verifier = createVerifier(256 * megabyte);
  for (const batch of batches) {
    const answer = await verifier.verify(storage, batch);
    const { balls, ...result } = await resultOf(batch);
    expect(balls.map(({ input }) => input)).toEqual([...unpackIds(batch.inputs)]);
    expect(answer).toEqual({
      id: batch.id,
      robust: balls.filter(({ verdict }) => verdict === 'robust').length,
      notRobust: balls.filter(({ verdict }) => verdict === 'not-robust').length,
      open: balls.filter(({ verdict }) => verdict === 'open').length,
    });
    expect(result).toMatchObject({ id: batch.id, round: 0 });
    expect(result.cpuSeconds).toBeGreaterThan(0);
    expect(result.peakMemoryBytes).toBeGreaterThan(megabyte);
  }
});

test('a witness lies in its ball, and the model gives it the class that the result says', async () => {
  const verifier = createVerifier(256 * megabyte);
  let witnesses = 0;
  for (const batch of batches.filter(({ epsilon }) => epsilon === 1)) {
    await verifier.verify(storage, batch);
    for (const ball of (await resultOf(batch)).balls) {
      if (ball.verdict !== 'not-robust') continue;
      witnesses++;
      const { shape, values } = parseNpy(await storage.get(ball.witness), ball.witness);
      expect(shape).toEqual([4]);
      for (const [i, value] of values.entries()) {
        const pixel = set.inputs[ball.input][i];
        expect(value).toBeGreaterThanOrEqual(Math.max(pixel - 0.1, 0));
        expect(value).toBeLessThanOrEqual(Math.min(pixel + 0.1, 1));
      }
      const scores = await scoresBy(set.model, [...values]);
      expect(ball.predicted).not.toBe(batch.label);
      expect(scores[ball.predicted]).toBe(Math.max(...scores));
    }
  }
  expect(witnesses).toBeGreaterThan(0);
});

test('a second delivery is answered from the stored result, without model or data', async () => {
  const [batch] = batches;
  const first = await createVerifier(256 * megabyte).verify(storage, batch);
  const stored = await contentOf(storage);
  await storage.put('models/tiny.onnx', 'gone');
  await storage.put('datasets/tiny/dataset.json', 'gone');
  expect(await createVerifier(256 * megabyte).verify(storage, batch)).toEqual(first);
  expect(await contentOf(storage, 'runs/')).toEqual(
    Object.fromEntries(Object.entries(stored).filter(([key]) => key.startsWith('runs/'))),
  );
});

test('of two deliveries at the same time, both get the result that was written first', async () => {
  const [batch] = batches;
  const one = createVerifier(256 * megabyte);
  const two = createVerifier(256 * megabyte);
  const answers = await Promise.all([one.verify(storage, batch), two.verify(storage, batch)]);
  expect(answers[0]).toEqual(answers[1]);
  expect(await storage.list('runs/r/rounds/0/results/')).toHaveLength(1);
});

test('a mini-batch whose time is over hands its balls back', async () => {
  const [batch] = batches;
  const verifier = createVerifier(256 * megabyte, () => Date.now() - 3_600_000);
  expect(await verifier.verify(storage, batch)).toEqual({ id: batch.id, robust: 0, notRobust: 0, open: batch.size });
  for (const ball of (await resultOf(batch)).balls) expect(ball).toMatchObject({ verdict: 'open', reason: 'time' });
});

test('a model or data set that changed since planning is refused', async () => {
  const other = await tinySet({ seed: 92 });
  const refused = 'model or data set of run r changed since it was planned';
  await storage.put('models/tiny.onnx', other.model);
  await expect(createVerifier(256 * megabyte).verify(storage, batches[0])).rejects.toThrow(refused);
  await requestRun(storage, 'r', { ...set, labels: other.labels });
  await expect(createVerifier(256 * megabyte).verify(storage, batches[0])).rejects.toThrow(refused);
});

test('a damaged stored result is an error, not an answer', async () => {
  const [batch] = batches;
  await storage.put(resultKey('r', 0, batch.id), '{"id": "0-0"');
  await expect(createVerifier(256 * megabyte).verify(storage, batch)).rejects.toThrow('it is not JSON');
});

test('what is no mini-batch is refused', async () => {
  await expect(createVerifier(256 * megabyte).verify(storage, { run: 'r' })).rejects.toThrow('round');
});
