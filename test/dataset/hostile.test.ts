import { gzipSync } from 'node:zlib';
import { zipSync } from 'fflate';
import { gunzipped } from '../../lib/dataset/gunzip';
import { dataSetLimits } from '../../lib/dataset/limits';
import { writeNpy } from '../../lib/dataset/npy';
import { parseNpz } from '../../lib/dataset/npz';
import { defaultPreprocessing } from '../../lib/dataset/preprocess';
import { manifestSchema } from '../../lib/dataset/records';
import { problemsOf } from '../support/problems';

const x = writeNpy({ shape: [1, 2], values: Uint8Array.of(1, 2) });

test('names of paths in an archive name nothing: only x.npy and the like are looked at, and nothing is written', () => {
  const names = ['../x.npy', '/x.npy', 'a/x.npy', '..\\x.npy', '__proto__.npy', 'constructor'];
  const archive = zipSync(Object.fromEntries(names.map((name) => [name, x])));
  expect(problemsOf(() => parseNpz(archive, 'a'))[0]).toMatch(/^has no inputs: it holds /);
  expect(
    parseNpz(zipSync({ ...Object.fromEntries(names.map((name) => [name, x])), 'x.npy': x }), 'a').inputs.shape,
  ).toEqual([1, 2]);
});

test('a bomb is refused by the size that it declares, or where it grows beyond the limit', () => {
  const zeros = new Uint8Array(5_000_000);
  const zip = zipSync({ 'x.npy': zeros });
  expect(zip.length).toBeLessThan(10_000);
  expect(problemsOf(() => parseNpz(zip, 'a', 1_000_000))).toEqual([
    'unpacks to 5000000 bytes, more than 1000000: split it',
  ]);
  expect(problemsOf(() => gunzipped(gzipSync(zeros), 'a', 1_000_000))).toEqual([
    'unpacks to more than 1000000 bytes: split it',
  ]);
});

test('an array that declares more than it holds is refused, whatever it declares', () => {
  const text = new TextDecoder('latin1').decode(x).replace('(1, 2), ', '(9999999999999999999,)'.slice(0, 8));
  const lie = Uint8Array.from(text, (c) => c.charCodeAt(0));
  expect(problemsOf(() => parseNpz(zipSync({ 'x.npy': lie }), 'a'))[0]).toMatch(/^array x /);
});

test('a stored data set that declares absurd sizes is refused before anything is read by them', () => {
  const manifest = {
    version: 1,
    name: 'a',
    count: 1,
    shape: [2],
    dtype: 'uint8',
    preprocessing: defaultPreprocessing({ shape: [2], values: Uint8Array.of(1, 2) }),
    sha256: '0'.repeat(64),
  };
  const accepted = (change: object): boolean => manifestSchema.safeParse({ ...manifest, ...change }).success;
  expect(accepted({})).toBe(true);
  expect(accepted({ count: dataSetLimits.inputs + 1 })).toBe(false);
  expect(accepted({ shape: [2 ** 13, 2 ** 13] })).toBe(false);
  expect(accepted({ shape: [1, 1, 1, 1, 1, 1, 1, 1, 1] })).toBe(false);
  expect(accepted({ shape: [Number.MAX_SAFE_INTEGER] })).toBe(false);
});
