import { itemKey, readItemKeys } from '../../lib/audit/item-keys';
import type { DataSet, Preprocessing } from '../../lib/dataset/dataset';
import { openRecords, writeRecords } from '../../lib/dataset/records';
import { memoryStorage } from '../support/memory-storage';

const preprocessing: Preprocessing = { layout: 'flat', scale: 1, mean: [0], std: [1], clip: [0, 1] };
const shape = [2];
const raw = Float32Array.of(0.25, 0.5);
const key = (
  changes: Partial<Preprocessing> = {},
  values = raw as Float32Array | Float64Array,
  label = 1,
  of = shape,
) => itemKey(values, label, of, { ...preprocessing, ...changes });

test('how values are stored makes no difference; everything that the ball or the question depends on does', () => {
  expect(key({}, Float64Array.from(raw))).toBe(key());
  const others = [
    key({ layout: 'CHW' }),
    key({ scale: 0.5 }),
    key({ mean: [0.1] }),
    key({ std: [2] }),
    key({ clip: [0, 2] }),
    key({}, Float32Array.of(0.25, 0.75)),
    key({}, raw, 0),
    key({}, raw, 1, [1, 2]),
  ];
  expect(new Set([key(), ...others]).size).toBe(9);
});

test('the keys of a data set, which must be what the run was planned with', async () => {
  const storage = memoryStorage();
  const count = 2_500;
  const values = Float32Array.from({ length: 2 * count }, (_, i) => (i % 997) / 997);
  const dataset: DataSet = { count, shape, values, labels: Int32Array.from({ length: count }, (_, i) => i % 3) };
  const { sha256 } = await writeRecords(storage, 'd', dataset, preprocessing, 'd');
  const records = await openRecords(storage, 'd');
  const keys = await readItemKeys(records, 1_100, sha256);
  expect(keys).toHaveLength(1_100);
  const wrong = keys.filter((found, i) => found !== key({}, values.subarray(2 * i, 2 * i + 2), i % 3));
  expect(wrong).toEqual([]);
  for (const file of ['inputs.bin', 'labels.bin']) {
    const before = await storage.get(`d/${file}`);
    // Beyond the inputs that the run has: the content is another one all the same.
    await storage.put(`d/${file}`, before.with(before.length - 1, before[before.length - 1] ^ 1));
    await expect(readItemKeys(await openRecords(storage, 'd'), 1_100, sha256)).rejects.toThrow(
      'not what the run was planned with',
    );
    await storage.put(`d/${file}`, before);
  }
});
