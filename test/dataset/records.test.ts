import { createHash } from 'node:crypto';
import fc from 'fast-check';
import type { DataSet, Preprocessing, RawValues } from '../../lib/dataset/dataset';
import { coalesce } from '../../lib/dataset/ranges';
import { openRecords, writeRecords } from '../../lib/dataset/records';
import { BadInputError } from '../../lib/errors';
import { MissingKeyError, type Storage } from '../../lib/storage/storage';
import { memoryStorage } from '../support/memory-storage';

const preprocessing: Preprocessing = { layout: 'flat', scale: 1, mean: [0], std: [1], clip: [0, 255] };

const dataset = (values: RawValues, shape: number[], labels: number[]): DataSet => ({
  count: labels.length,
  shape,
  values,
  labels: Int32Array.from(labels),
});

const three = dataset(Float32Array.of(1, -0, 2, 3.5, 4, 1e-42), [1, 2], [5, -1, 70000]);

test('the canonical form, byte for byte', async () => {
  const storage = memoryStorage();
  const manifest = await writeRecords(storage, 'datasets/a', three, preprocessing, 'three');
  expect((await storage.list('')).map(({ key }) => key)).toEqual(
    ['dataset.json', 'inputs.bin', 'labels.bin'].map((file) => `datasets/a/${file}`),
  );
  const inputs = await storage.get('datasets/a/inputs.bin');
  const labels = await storage.get('datasets/a/labels.bin');
  expect(Buffer.from(inputs).toString('hex')).toBe('0000803f00000080000000400000604000008040ca020000');
  expect(Buffer.from(labels).toString('hex')).toBe('05000000ffffffff70110100');
  expect(JSON.parse(Buffer.from(await storage.get('datasets/a/dataset.json')).toString())).toEqual(manifest);
  expect(manifest).toEqual({
    version: 1,
    name: 'three',
    count: 3,
    shape: [1, 2],
    dtype: 'float32',
    preprocessing,
    sha256: createHash('sha256').update(inputs).update(labels).digest('hex'),
  });
});

test('what is written is read back, in the order asked for', async () => {
  const length = { minLength: 12, maxLength: 12 };
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(fc.uint8Array(length), fc.float32Array(length), fc.float64Array(length)) as fc.Arbitrary<RawValues>,
      fc.array(fc.nat(3), { maxLength: 6 }),
      async (raw, indices) => {
        const original = dataset(raw, [3], [0, 1, 2, 3]);
        const storage = memoryStorage();
        await writeRecords(storage, 'd', original, preprocessing, 'd');
        const records = await openRecords(storage, 'd');
        expect(await records.read(indices)).toEqual(indices.map((i) => raw.slice(3 * i, 3 * i + 3)));
        expect(await records.read(Uint32Array.from(indices))).toHaveLength(indices.length);
        expect(await records.labels()).toEqual(original.labels);
        expect(await records.load()).toEqual(original);
      },
    ),
    { numRuns: 30 },
  );
});

test('only ranges of the inputs are read, neighbours in one request', async () => {
  const itemBytes = 40_000;
  const count = 20;
  const storage = memoryStorage();
  const large = dataset(
    Uint8Array.from({ length: count * itemBytes }, (_, i) => i / itemBytes),
    [itemBytes],
    Array(count).fill(0),
  );
  await writeRecords(storage, 'd', large, preprocessing, 'd');
  const ranges: number[][] = [];
  const watched: Storage = {
    ...storage,
    get: (key) =>
      key.endsWith('inputs.bin') ? Promise.reject(new Error('the whole file was read')) : storage.get(key),
    getRange: (key, start, end) => {
      ranges.push([start / itemBytes, end / itemBytes]);
      return storage.getRange(key, start, end);
    },
  };
  const items = await (await openRecords(watched, 'd')).read([17, 3, 4, 6, 9, 3]);
  expect(items.map((item) => [item.length, item[0], item[itemBytes - 1]])).toEqual(
    [17, 3, 4, 6, 9, 3].map((i) => [itemBytes, i, i]),
  );
  // The gap of one item (40,000 bytes) is read over, that of two (80,000) is not.
  expect(ranges).toEqual([
    [3, 7],
    [9, 10],
    [17, 18],
  ]);
});

test('law: ranges are ascending, disjoint, cover exactly what is wanted, and stay small', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(999)), fc.integer({ min: 1, max: 3_000_000 }), (indices, itemBytes) => {
      const ranges = coalesce(indices, 1000, itemBytes);
      expect(ranges.flatMap(({ wanted }) => wanted)).toEqual([...new Set(indices)].sort((a, b) => a - b));
      ranges.forEach(({ first, end, wanted }, i) => {
        expect([wanted[0], wanted.at(-1)]).toEqual([first, end - 1]);
        expect(i === 0 || first >= ranges[i - 1].end).toBe(true);
        expect((end - first) * itemBytes <= 2 ** 23 || end - first === 1).toBe(true);
      });
    }),
  );
});

test('indices outside the data set', async () => {
  const storage = memoryStorage();
  await writeRecords(storage, 'd', three, preprocessing, 'd');
  const records = await openRecords(storage, 'd');
  for (const index of [3, -1, 0.5, Number.NaN]) await expect(records.read([0, index])).rejects.toThrow(RangeError);
});

describe('damage', () => {
  const stored = async () => {
    const storage = memoryStorage();
    await writeRecords(storage, 'd', three, preprocessing, 'd');
    return storage;
  };
  const problemsOfAsync = (promise: Promise<unknown>) =>
    promise.then(
      () => [],
      (error: unknown) => (error instanceof BadInputError ? error.problems : Promise.reject(error)),
    );

  test('no manifest', async () => {
    await expect(openRecords(memoryStorage(), 'd')).rejects.toThrow(MissingKeyError);
  });

  test('a manifest with several problems', async () => {
    const storage = await stored();
    await storage.put('d/dataset.json', JSON.stringify({ version: 2, name: 'd', count: 0, shape: [], dtype: 'int8' }));
    const problems = await problemsOfAsync(openRecords(storage, 'd'));
    expect(problems.map((problem) => problem.split(':')[0])).toEqual(
      ['version', 'count', 'shape', 'dtype', 'preprocessing', 'sha256'].map((key) => `dataset.json, ${key}`),
    );
    await storage.put('d/dataset.json', '{');
    expect((await problemsOfAsync(openRecords(storage, 'd')))[0]).toMatch(/^dataset.json is no JSON/);
  });

  test('cut files', async () => {
    const storage = await stored();
    await storage.put('d/inputs.bin', (await storage.get('d/inputs.bin')).subarray(0, 20));
    await storage.put('d/labels.bin', new Uint8Array(8));
    const records = await openRecords(storage, 'd');
    expect(await problemsOfAsync(records.read([1, 2]))).toEqual(['inputs.bin ends inside input 2']);
    await storage.put('d/inputs.bin', (await storage.get('d/inputs.bin')).subarray(0, 16));
    expect(await problemsOfAsync(records.read([2]))).toEqual(['inputs.bin ends inside input 2']);
    expect(await problemsOfAsync(records.labels())).toEqual(['labels.bin has 8 bytes where dataset.json says 12']);
    expect(await problemsOfAsync(records.load())).toEqual(['inputs.bin has 16 bytes where dataset.json says 24']);
  });

  test('changed values', async () => {
    const storage = await stored();
    await storage.put('d/inputs.bin', new Uint8Array(24));
    const records = await openRecords(storage, 'd');
    expect(await problemsOfAsync(records.load())).toEqual([
      'its content differs from the hash in dataset.json: import it again',
    ]);
  });
});
