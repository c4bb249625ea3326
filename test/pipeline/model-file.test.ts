import { networkLimits } from '../../lib/network/limits';
import { readModelFile } from '../../lib/pipeline/model-file';
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
