import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import * as ort from 'onnxruntime-node';
import { PNG } from 'pngjs';
import { drawDigits, testCount, testSeed, trainingSeed } from '../../examples/digits/drawing/digits';
import { toNpz } from '../../examples/digits/drawing/npz';
import { imageSize } from '../../examples/digits/drawing/pen';
import { contactSheet } from '../../examples/digits/drawing/sheet';
import { parseNpz } from '../../lib/dataset/npz';
import { decodeModel } from '../../lib/network/protobuf';

const folder = path.join(__dirname, '../../examples/digits');
const read = (file: string) => readFileSync(path.join(folder, file));
const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

const drawn = drawDigits(testCount, testSeed);
const { inputs, labels } = parseNpz(read('digits-test.npz'), 'digits-test.npz');
const pixels = inputs.values as Uint8Array;

describe('the test set', () => {
  test('is what the drawing script draws for its seed', () => {
    expect(inputs.shape).toEqual([1000, 14, 14]);
    expect(labels?.shape).toEqual([1000]);
    const first = 50 * imageSize * imageSize;
    expect([...pixels.subarray(0, first)]).toEqual([...drawn.images.subarray(0, first)]);
    expect(hash(pixels)).toBe(hash(drawn.images));
    expect([...(labels?.values ?? [])]).toEqual([...drawn.labels]);
  });

  test('is the same archive, byte for byte', () => {
    expect(hash(toNpz(drawn))).toBe(hash(read('digits-test.npz')));
  });

  test('has every class a hundred times, and no image twice', () => {
    for (let digit = 0; digit < 10; digit++) expect(drawn.labels.filter((label) => label === digit)).toHaveLength(100);
    const size = imageSize * imageSize;
    const hashes = Array.from({ length: testCount }, (_, i) => hash(drawn.images.subarray(i * size, (i + 1) * size)));
    expect(new Set(hashes).size).toBe(testCount);
  });

  test('shares none of the first training images, and a longer set begins with the shorter one', () => {
    const size = imageSize * imageSize;
    const training = drawDigits(30, trainingSeed).images;
    const known = new Set(Array.from({ length: testCount }, (_, i) => hash(pixels.subarray(i * size, (i + 1) * size))));
    for (let i = 0; i < 30; i++) expect(known.has(hash(training.subarray(i * size, (i + 1) * size)))).toBe(false);
    expect([...drawDigits(20, trainingSeed).images]).toEqual([...training.subarray(0, 20 * size)]);
  });

  test('holds legible images: enough ink on mostly empty paper', () => {
    const size = imageSize * imageSize;
    for (let i = 0; i < testCount; i++) {
      const image = pixels.subarray(i * size, (i + 1) * size);
      const inked = image.filter((grey) => grey > 100).length;
      expect(inked).toBeGreaterThan(5);
      expect(inked).toBeLessThan(size / 2);
    }
  });

  test('can be looked at as one picture', () => {
    const picture = PNG.sync.read(contactSheet(drawDigits(21, testSeed)));
    expect([picture.width, picture.height]).toEqual([20 * 57, 2 * 57]);
    // The first image's pixel (7, 4), four screen pixels wide.
    const grey = drawn.images[4 * imageSize + 7];
    expect([...picture.data.subarray(4 * (17 * picture.width + 29), 4 * (17 * picture.width + 29) + 4)]).toEqual([
      grey,
      grey,
      grey,
      255,
    ]);
  });
});

describe.each([
  ['fc.onnx', ['Flatten', 'Gemm', 'Relu', 'Gemm', 'Relu', 'Gemm', 'Relu', 'Gemm']],
  ['conv.onnx', ['Conv', 'Relu', 'Conv', 'Relu', 'Flatten', 'Gemm', 'Relu', 'Gemm']],
])('%s', (file, operators) => {
  test('is a small opset 17 model with a free batch dimension', () => {
    const { opsetImport, graph } = decodeModel(read(file));
    expect(opsetImport?.map(({ version }) => version)).toEqual([17]);
    expect(graph?.node?.map(({ opType }) => opType)).toEqual(operators);
    const dims = graph?.input?.[0].type?.tensorType?.shape?.dim;
    expect(dims?.map(({ dimParam, dimValue }) => dimParam || dimValue)).toEqual(['N', 1, imageSize, imageSize]);
  });

  test('gets at least 95 % of the test images right, by ONNX Runtime', async () => {
    const session = await ort.InferenceSession.create(read(file), { intraOpNumThreads: 1, interOpNumThreads: 1 });
    const image = new ort.Tensor(
      'float32',
      Float32Array.from(pixels, (grey) => grey / 255),
      [testCount, 1, imageSize, imageSize],
    );
    const { scores } = await session.run({ image });
    expect(scores.dims).toEqual([testCount, 10]);
    const values = scores.data as Float32Array;
    const right = drawn.labels.filter((label, i) => {
      const row = values.subarray(i * 10, (i + 1) * 10);
      return row.indexOf(Math.max(...row)) === label;
    });
    expect(right.length).toBeGreaterThanOrEqual(950);
    await session.release();
  });
});

test('all committed files together stay below 2 MB', () => {
  const bytes = ['digits-test.npz', 'fc.onnx', 'conv.onnx'].map((file) => statSync(path.join(folder, file)).size);
  expect(bytes.reduce((sum, size) => sum + size)).toBeLessThan(2_000_000);
});
