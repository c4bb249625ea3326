import { modelHash } from '../../lib/network/hash';
import { networkLimits } from '../../lib/network/limits';
import { identifyModel, readModelFile } from '../../lib/pipeline/model-file';
import { memoryStorage } from '../support/memory-storage';

test('of a model no more is read than a model may have, and one byte that refuses it', async () => {
  const inner = memoryStorage([
    ['models/a.onnx', Uint8Array.of(1, 2, 3)],
    ['models/empty.onnx', ''],
  ]);
  const ranges: number[][] = [];
  const storage: typeof inner = {
    ...inner,
    getRange(key, start, end) {
      ranges.push([start, end]);
      return inner.getRange(key, start, end);
    },
    get: () => Promise.reject(new Error('the whole object is read')),
  };
  expect(await readModelFile(storage, 'models/a.onnx')).toEqual(Uint8Array.of(1, 2, 3));
  expect(await readModelFile(storage, 'models/empty.onnx')).toEqual(new Uint8Array(0));
  await expect(readModelFile(storage, 'models/none.onnx')).rejects.toThrow('no object with key models/none.onnx');
  expect(ranges).toEqual(Array(3).fill([0, networkLimits.modelBytes + 1]));
});

test('a model is hashed only where its size is one that is read, which is asked for before', async () => {
  const body = Uint8Array.of(1, 2, 3);
  const inner = memoryStorage([
    ['models/a.onnx', body],
    ['models/a.onnx.onnx', body],
    ['models/b.onnx', body],
  ]);
  const read: string[] = [];
  const storage: typeof inner = {
    ...inner,
    getRange(key, start, end) {
      read.push(key);
      return inner.getRange(key, start, end);
    },
    get: () => Promise.reject(new Error('the whole object is read')),
    // As if it were larger than anybody has at hand.
    list: async (prefix) =>
      (await inner.list(prefix)).map((object) =>
        object.key === 'models/b.onnx' ? { ...object, size: networkLimits.modelBytes + 1 } : object,
      ),
  };
  expect(await identifyModel(storage, 'models/a.onnx')).toEqual({ kind: 'model', hash: modelHash(body) });
  expect(await identifyModel(storage, 'models/b.onnx')).toEqual({
    kind: 'too large',
    problem: `models/b.onnx has ${networkLimits.modelBytes + 1} bytes; models of at most ${networkLimits.modelBytes} are read: export a smaller one`,
  });
  expect(await identifyModel(storage, 'models/a.onn')).toEqual({ kind: 'missing' });
  expect(read).toEqual(['models/a.onnx']);
});
