import { zipSync } from 'fflate';
import { writeNpy } from '../../lib/dataset/npy';
import { parseNpz } from '../../lib/dataset/npz';
import { problemsOf } from '../support/problems';

const x = { shape: [2, 2], values: Float32Array.of(0, 0.25, 0.5, 1) };
const y = { shape: [2], values: Uint8Array.of(3, 1) };

const zip = (arrays: Record<string, Uint8Array>) => zipSync(arrays);

/** numpy.savez_compressed(x_train=..., images=2x2x3 bytes, y=int64) and savez(x=float64, labels=[[3], [1]]). */
const compressed =
  'UEsDBC0AAAAIAAAAIQCuPFih//////////8LABQAeF90cmFpbi5ucHkBABAAiAAAAAAAAABJAAAAAAAAAJvsF+obEMnIUMZQrZ6SWpxcpG6loG6TZqKuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GoY6CkaaOgq1CmQDLgYoAABQSwMELQAAAAgAAAAhAMUihKD//////////woAFABpbWFnZXMubnB5AQAQAIwAAAAAAAAAVAAAAAAAAACb7BfqGxDJyFDGUK2eklqcXKRupaBeU2qorqOgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RpGOgpAZKypo1CrQB7gYmBkYmZhZWPn4OTiBgBQSwMELQAAAAgAAAAhAIzeM+D//////////wUAFAB5Lm5weQEAEACQAAAAAAAAAEoAAAAAAAAAm+wX6hsQychQxlCtnpJanFykbqWgbpNpoa6joJ6WX1RSlJgXn1+UkgoSd0vMKU4FihdnJBakAvkaRjqaOgq1ChQALmYGCGCE0gBQSwECLQMtAAAACAAAACEArjxYoUkAAACIAAAACwAAAAAAAAAAAAAAgAEAAAAAeF90cmFpbi5ucHlQSwECLQMtAAAACAAAACEAxSKEoFQAAACMAAAACgAAAAAAAAAAAAAAgAGGAAAAaW1hZ2VzLm5weVBLAQItAy0AAAAIAAAAIQCM3jPgSgAAAJAAAAAFAAAAAAAAAAAAAACAARYBAAB5Lm5weVBLBQYAAAAAAwADAKQAAACXAQAAAAA=';
const stored =
  'UEsDBC0AAAAAAAAAIQB/a3lg//////////8FABQAeC5ucHkBABAAoAAAAAAAAACgAAAAAAAAAJNOVU1QWQEAdgB7J2Rlc2NyJzogJzxmOCcsICdmb3J0cmFuX29yZGVyJzogRmFsc2UsICdzaGFwZSc6ICgyLCAyKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAKAAAAAAAAAABVVVVVVVXVP1VVVVVVVeU/AAAAAAAA8D9QSwMELQAAAAAAAAAhAEBEn87//////////woAFABsYWJlbHMubnB5AQAQAIIAAAAAAAAAggAAAAAAAACTTlVNUFkBAHYAeydkZXNjcic6ICd8dTEnLCAnZm9ydHJhbl9vcmRlcic6IEZhbHNlLCAnc2hhcGUnOiAoMiwgMSksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgCgMBUEsBAi0DLQAAAAAAAAAhAH9reWCgAAAAoAAAAAUAAAAAAAAAAAAAAIABAAAAAHgubnB5UEsBAi0DLQAAAAAAAAAhAEBEn86CAAAAggAAAAoAAAAAAAAAAAAAAIAB1wAAAGxhYmVscy5ucHlQSwUGAAAAAAIAAgBrAAAAlQEAAAAA';

test('archives written by numpy, compressed and stored', () => {
  expect(parseNpz(Buffer.from(compressed, 'base64'), 'a')).toEqual({
    inputs: { shape: [2, 2, 3], values: Uint8Array.from({ length: 12 }, (_, i) => i) },
    labels: { shape: [2], values: Float64Array.of(3, 1) },
  });
  expect(parseNpz(Buffer.from(stored, 'base64'), 'a')).toEqual({
    inputs: { shape: [2, 2], values: Float64Array.of(0, 1 / 3, 2 / 3, 1) },
    labels: { shape: [2, 1], values: Uint8Array.of(3, 1) },
  });
});

test('the test half of a training archive is taken; labels may be absent', () => {
  const other = writeNpy({ shape: [1, 1], values: Uint8Array.of(9) });
  const archive = zip({
    'x_train.npy': other,
    'y_train.npy': other,
    'x_test.npy': writeNpy(x),
    'y_test.npy': writeNpy(y),
  });
  expect(parseNpz(archive, 'a')).toEqual({ inputs: x, labels: y });
  expect(parseNpz(zip({ 'data.npy': writeNpy(x) }), 'a')).toEqual({ inputs: x, labels: undefined });
});

test('what is wrong is said, of both arrays', () => {
  const cut = writeNpy(x).slice(0, -1);
  expect(problemsOf(() => parseNpz(zip({ 'x.npy': cut, 'y.npy': Uint8Array.of(1, 2, 3) }), 'a'))).toEqual([
    'array x is truncated: its header says shape (2, 2) of f4 (16 bytes), it holds 15 bytes',
    'array y does not start with the npy magic: is it a .npy file?',
  ]);
  expect(problemsOf(() => parseNpz(zip({ 'arr_0.npy': writeNpy(x), 'arr_1.npy': writeNpy(y) }), 'a'))).toEqual([
    'has no inputs: it holds arr_0, arr_1; name the array one of x, images, inputs, x_test, data',
  ]);
  const archive = zip({ 'x.npy': writeNpy(x) });
  expect(problemsOf(() => parseNpz(archive.subarray(0, archive.length - 30), 'a'))[0]).toMatch(
    /zip archive is damaged/,
  );
});

test('declared sizes are limited, and nothing larger than declared is unpacked', () => {
  const archive = zip({ 'x.npy': writeNpy({ shape: [1, 100_000], values: new Uint8Array(100_000) }) });
  expect(archive.length).toBeLessThan(1000);
  expect(problemsOf(() => parseNpz(archive, 'a', 100_000))).toEqual([
    'unpacks to 100128 bytes, more than 100000: split it',
  ]);
  expect(parseNpz(archive, 'a', 100_128).inputs.shape).toEqual([1, 100_000]);

  // The same archive, claiming in its central directory that the entry unpacks to 1,000 bytes, or to 200,000.
  const claiming = (size: number) => {
    const lie = archive.slice();
    const view = new DataView(lie.buffer);
    const directory = view.getUint32(lie.length - 22 + 16, true);
    view.setUint32(directory + 24, size, true);
    return lie;
  };
  expect(problemsOf(() => parseNpz(claiming(1000), 'a'))).toHaveLength(1);
  expect(problemsOf(() => parseNpz(claiming(200_000), 'a'))).toEqual([
    'array x unpacks to 100128 bytes where 200000 are declared',
  ]);
});
