import { usualTechniques } from '../../lib/group/techniques';
import { resultKey } from '../../lib/pipeline/keys';
import { planRun } from '../../lib/pipeline/plan';
import { readJson } from '../../lib/pipeline/records';
import { techniquesFromEnvironment } from '../../lib/pipeline/techniques';
import { createVerifier } from '../../lib/pipeline/verify';
import { packIds } from '../../lib/schedule/packed';
import { batchResultSchema } from '../../lib/schedule/records';
import { batchesOf, megabyte } from '../support/in-process-run';
import { memoryStorage } from '../support/memory-storage';
import { requestRun, tinySet } from '../support/tiny-run';

test('a variable switches its technique alone, and unset or empty it is as usual', () => {
  expect(techniquesFromEnvironment({})).toEqual(usualTechniques);
  expect(techniquesFromEnvironment({ BAVERLY_LEMMAS: '', BAVERLY_TRANSFER: 'on' })).toEqual({
    ...usualTechniques,
    transfer: true,
  });
  expect(
    techniquesFromEnvironment({
      BAVERLY_LEMMAS: 'on',
      BAVERLY_TRANSFER: 'off',
      BAVERLY_JOINT_BOUNDS: 'on',
      BAVERLY_JOINT_SEARCH: 'off',
    }),
  ).toEqual({ lemmas: true, transfer: false, jointBounds: true, jointSearch: false });
});

test('other words are refused, all at once', () => {
  const wrong = { BAVERLY_LEMMAS: '1', BAVERLY_TRANSFER: 'on', BAVERLY_JOINT_BOUNDS: 'yes' };
  expect(() => techniquesFromEnvironment(wrong)).toThrow('BAVERLY_LEMMAS is "1"; set it to on or off');
  expect(() => techniquesFromEnvironment(wrong)).toThrow('BAVERLY_JOINT_BOUNDS is "yes"; set it to on or off');
});

/** What settled balls whose inputs are nearly the same, all of them in one mini-batch that is searched. */
async function settlers(transfer: boolean, mode: 'batch' | 'single'): Promise<string[]> {
  const storage = memoryStorage();
  const { model, inputs, labels } = await tinySet();
  const close = Array.from({ length: 6 }, (_, i) => inputs[3].map((value) => Math.fround(value + i / 4096)));
  await requestRun(
    storage,
    'r',
    { model, inputs: close, labels: close.map(() => labels[3]) },
    { mode, epsilons: [{ text: '0.1', value: 0.1 }] },
  );
  const [batch] = await batchesOf(storage, 'r', await planRun(storage, 'r'));
  const everyone = Uint32Array.from(close.keys());
  const verifier = createVerifier(256 * megabyte, undefined, { lemmas: false, transfer, jointSearch: false });
  await verifier.verify(storage, { ...batch, size: 6, inputs: packIds(everyone), attempt: 3, kind: 'rest' });
  const { balls } = await readJson(storage, resultKey('r', batch.round, batch.id), batchResultSchema);
  return balls.map((ball) => (ball.verdict === 'open' ? ball.reason : ball.settledBy));
}

test('proof transfer reaches a run where it is switched on, but for the one-by-one baseline', async () => {
  const transferred = async (transfer: boolean, mode: 'batch' | 'single'): Promise<number> =>
    (await settlers(transfer, mode)).filter((settler) => settler === 'transfer').length;
  expect(await transferred(true, 'batch')).toBeGreaterThan(0);
  expect(await transferred(false, 'batch')).toBe(0);
  expect(await transferred(true, 'single')).toBe(0);
});
