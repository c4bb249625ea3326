import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { gunzipped } from '../../lib/dataset/gunzip';
import { parseIdx } from '../../lib/dataset/idx';
import { problemsOf } from '../support/problems';
import { describeWithData, sharedData } from '../support/shared-data';

const images = Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 3, 255);

test('unsigned bytes keep their type and shape', () => {
  expect(parseIdx(images, 'a')).toEqual({ shape: [2, 1, 2], values: Uint8Array.of(1, 2, 3, 255) });
});

test.each([
  ['int8', 9, [0xff, 0x02], Float64Array.of(-1, 2)],
  ['int16', 11, [0xff, 0xfe, 0x01, 0x00], Float64Array.of(-2, 256)],
  ['int32', 12, [0xff, 0xff, 0xff, 0xff, 0, 1, 0, 0], Float64Array.of(-1, 65536)],
  ['float32', 13, [0x3f, 0x80, 0, 0, 0xbf, 0, 0, 0], Float32Array.of(1, -0.5)],
  ['float64', 14, [0x3f, 0xf0, 0, 0, 0, 0, 0, 0, 0xbf, 0xe0, 0, 0, 0, 0, 0, 0], Float64Array.of(1, -0.5)],
])('%s values are big-endian', (_, type, body, values) => {
  expect(parseIdx(Uint8Array.of(0, 0, type, 1, 0, 0, 0, 2, ...body), 'a')).toEqual({ shape: [2], values });
});

test('what is wrong is said', () => {
  expect(problemsOf(() => parseIdx(Uint8Array.of(0x50, 0x4b, 3, 4), 'a'))).toEqual([
    'starts with "50 4b 03 04", not with the IDX magic "00 00 <type> <dimensions>": is it an IDX file?',
  ]);
  expect(problemsOf(() => parseIdx(images.subarray(0, 10), 'a'))).toEqual([
    'ends inside its header of 16 bytes: fetch the file again',
  ]);
  expect(problemsOf(() => parseIdx(images.subarray(0, 19), 'a'))).toEqual([
    'is truncated: its header says 2 x 1 x 2 values (4 bytes), it holds 3 bytes',
  ]);
  expect(problemsOf(() => parseIdx(Uint8Array.of(...images, 0), 'a'))).toEqual([
    'has bytes left over: its header says 2 x 1 x 2 values (4 bytes), it holds 5 bytes',
  ]);
});

test('gzip is known by its magic; damage and bombs are refused', () => {
  const packed = gzipSync(images);
  expect([...gunzipped(packed, 'a')]).toEqual([...images]);
  expect(gunzipped(images, 'a')).toBe(images);
  expect(problemsOf(() => gunzipped(packed.subarray(0, packed.length - 9), 'a'))[0]).toMatch(/truncated or damaged/);
  expect(problemsOf(() => gunzipped(gzipSync(Buffer.alloc(5000)), 'a', 4999))).toEqual([
    'unpacks to more than 4999 bytes: split it',
  ]);
  expect(gunzipped(gzipSync(Buffer.alloc(5000)), 'a', 5000)).toHaveLength(5000);
});

describeWithData('MNIST', () => {
  test('the 10,000 test images', () => {
    const name = 'mnist/t10k-images-idx3-ubyte.gz';
    const { shape, values } = parseIdx(gunzipped(readFileSync(sharedData(name)), name), name);
    expect(shape).toEqual([10000, 28, 28]);
    // Row 7 of the first image, a seven, starts its bar at column 6.
    expect([...values.subarray(7 * 28 + 5, 7 * 28 + 9)]).toEqual([0, 84, 185, 159]);
  });
});
