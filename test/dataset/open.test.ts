import { readFileSync } from 'node:fs';
import { gzipSync, strToU8, zipSync } from 'fflate';
import { parseCifar } from '../../lib/dataset/cifar';
import { writeNpy } from '../../lib/dataset/npy';
import { guessFormat, parseDataSet } from '../../lib/dataset/open';
import { problemsOf } from '../support/problems';
import { describeWithData, sharedData } from '../support/shared-data';

const file = (name: string, bytes: Uint8Array) => ({ name, bytes });
const idx =
  (...dimensions: number[]) =>
  (type: number, ...body: number[]) =>
    Uint8Array.of(0, 0, type, dimensions.length, ...dimensions.flatMap((d) => [0, 0, d >> 8, d & 255]), ...body);

const images = idx(2, 1, 2)(8, 0, 9, 255, 3);
const labels = idx(2)(8, 7, 1);
const x = writeNpy({ shape: [2, 1, 2], values: Float32Array.of(0, 0.5, 1, 0.25) });
const y = writeNpy({ shape: [2], values: Float64Array.of(7, 1) });
const bytesSet = { count: 2, shape: [1, 2], values: Uint8Array.of(0, 9, 255, 3), labels: Int32Array.of(7, 1) };
const floatSet = { ...bytesSet, values: Float32Array.of(0, 0.5, 1, 0.25) };
const record = (label: number) => Uint8Array.from({ length: 3073 }, (_, i) => (i === 0 ? label : i % 251));

describe('every format, guessed', () => {
  test('idx, gzipped or not', () => {
    const expected = { dataset: bytesSet, format: 'idx' };
    expect(parseDataSet({ data: file('images', images), labels: file('labels', labels) })).toEqual(expected);
    const packed = { data: file('images.gz', gzipSync(images)), labels: file('labels.gz', gzipSync(labels)) };
    expect(parseDataSet(packed)).toEqual(expected);
  });

  test('npy, with labels in another format', () => {
    const expected = { dataset: floatSet, format: 'npy' };
    expect(parseDataSet({ data: file('x', x), labels: file('y', y) })).toEqual(expected);
    expect(parseDataSet({ data: file('x', x), labels: file('labels', labels) })).toEqual(expected);
    expect(parseDataSet({ data: file('x', x), labels: file('y.csv', strToU8('label\n7\n1\n')) })).toEqual(expected);
  });

  test('npz, with its own labels or a file of them', () => {
    const expected = { dataset: floatSet, format: 'npz' };
    expect(parseDataSet({ data: file('a', zipSync({ 'x.npy': x, 'y.npy': y })) })).toEqual(expected);
    expect(parseDataSet({ data: file('a', zipSync({ 'x.npy': x })), labels: file('y', y) })).toEqual(expected);
  });

  test('csv', () => {
    const data = file('a.csv', strToU8('label,a,b\n7,0,0.5\n1,1,0.25\n'));
    expect(parseDataSet({ data })).toEqual({
      dataset: { ...floatSet, shape: [2], values: Float64Array.of(0, 0.5, 1, 0.25) },
      format: 'csv',
    });
  });

  test('CIFAR-10 binary', () => {
    const { dataset, format } = parseDataSet({
      data: file('test_batch.bin', Uint8Array.of(...record(3), ...record(9))),
    });
    expect(format).toBe('cifar');
    expect([dataset.count, dataset.shape, [...dataset.labels]]).toEqual([2, [3, 32, 32], [3, 9]]);
    expect([...dataset.values.subarray(0, 2), ...dataset.values.subarray(3072, 3074)]).toEqual([1, 2, 1, 2]);
  });
});

test('a given format decides', () => {
  expect(parseDataSet({ data: file('a', strToU8('7,0,0.5\n')), format: 'csv' }).dataset.count).toBe(1);
  expect(parseDataSet({ data: file('a', record(3)), format: 'cifar' }).dataset.count).toBe(1);
  expect(problemsOf(() => parseDataSet({ data: file('a', x), labels: file('y', y), format: 'idx' }))).toEqual([
    'a: starts with "93 4e 55 4d", not with the IDX magic "00 00 <type> <dimensions>": is it an IDX file?',
  ]);
});

test('nothing is guessed without a sign', () => {
  expect(guessFormat(file('a', record(3)))).toBeUndefined();
  expect(guessFormat(file('a.bin', new Uint8Array(3072)))).toBeUndefined();
  expect(guessFormat(file('t10k-images-idx3-ubyte.gz', new Uint8Array(2)))).toBe('idx');
  expect(problemsOf(() => parseDataSet({ data: file('a', strToU8('?')) }))).toEqual([
    'a: its format is not recognised: give one of idx, npz, npy, csv, cifar',
  ]);
});

describe('whole numbers from 0 to 255 are bytes, whatever their type', () => {
  const valuesOf = (...values: number[]) => {
    const data = file('x', writeNpy({ shape: [1, values.length], values: Float64Array.from(values) }));
    return parseDataSet({ data, labels: file('y', writeNpy({ shape: [1], values: Uint8Array.of(0) })) }).dataset.values;
  };
  test.each([
    [[0, 1, 2], Uint8Array],
    [[255, 0], Uint8Array],
    [[0, 1], Float64Array],
    [[0, 256], Float64Array],
    [[0, 2, 0.5], Float64Array],
    [[-1, 2], Float64Array],
  ])('%p', (values, type) => {
    expect(valuesOf(...values)).toEqual(type.from(values));
  });
});

describe('what is wrong is said, for both files at once', () => {
  test('damaged files', () => {
    const files = {
      data: file('images.gz', gzipSync(images).subarray(0, 20)),
      labels: file('l', labels.subarray(0, 9)),
    };
    const problems = problemsOf(() => parseDataSet(files));
    expect(problems).toHaveLength(2);
    expect(problems[0]).toMatch(/^images.gz: the gzip stream is truncated or damaged/);
    expect(problems[1]).toBe('l: is truncated: its header says 2 values (2 bytes), it holds 1 bytes');
  });

  test('labels that are missing, superfluous, or of no known format', () => {
    expect(problemsOf(() => parseDataSet({ data: file('images', images) }))).toEqual([
      'images: idx data carry no labels: give the labels file too (--labels)',
    ]);
    expect(problemsOf(() => parseDataSet({ data: file('a.csv', strToU8('7,0\n')), labels: file('y', y) }))).toEqual([
      'a.csv: has labels of its own, so leave out y',
    ]);
    expect(problemsOf(() => parseDataSet({ data: file('x', x), labels: file('y', zipSync({})) }))).toEqual([
      'y: labels are read from idx, npy and csv files of one class number per input',
    ]);
  });

  test('contents that make no data set', () => {
    const values = Float32Array.of(0, Number.NaN, Infinity);
    const data = file('x', writeNpy({ shape: [3, 1], values }));
    const two = file('y', writeNpy({ shape: [2], values: Float64Array.of(0.5, Number.NaN) }));
    expect(problemsOf(() => parseDataSet({ data, labels: two }))).toEqual([
      '3 inputs but 2 labels: are the two files of one data set?',
      '2 of 2 labels are not whole class numbers, the first is 0.5 (input 0)',
      '2 of 3 values are NaN or infinite, the first is NaN (input 1, value 0)',
    ]);
    const flat = file('x', writeNpy({ shape: [2], values: Uint8Array.of(1, 2) }));
    const oneHot = file('y', writeNpy({ shape: [2, 3], values: new Uint8Array(6) }));
    expect(problemsOf(() => parseDataSet({ data: flat, labels: oneHot }))).toEqual([
      'the inputs have shape [2]: give one row per input, [count, ...item]',
      'the labels have shape [2, 3]: give one class number per input, [count]',
    ]);
    const none = file('x', writeNpy({ shape: [0, 4], values: new Uint8Array(0) }));
    const noLabels = file('y', writeNpy({ shape: [0], values: new Uint8Array(0) }));
    expect(problemsOf(() => parseDataSet({ data: none, labels: noLabels }))).toEqual([
      'the inputs have shape [0, 4]: there is nothing to verify',
    ]);
  });

  test('CIFAR-10 records that are not whole', () => {
    const expected = 'not a positive multiple of 3073: is it a CIFAR-10 binary file, and whole?';
    expect(problemsOf(() => parseCifar(record(1).subarray(1), 'a'))).toEqual([`has 3072 bytes, ${expected}`]);
    expect(problemsOf(() => parseCifar(new Uint8Array(0), 'a'))).toEqual([`has 0 bytes, ${expected}`]);
  });
});

describeWithData('benchmark data', () => {
  const read = (name: string) => file(name, readFileSync(sharedData(name)));

  test('MNIST', () => {
    const { dataset, format } = parseDataSet({
      data: read('mnist/t10k-images-idx3-ubyte.gz'),
      labels: read('mnist/t10k-labels-idx1-ubyte.gz'),
    });
    expect([format, dataset.count, dataset.shape]).toEqual(['idx', 10000, [28, 28]]);
    expect([...dataset.labels.subarray(0, 10)]).toEqual([7, 2, 1, 0, 4, 1, 4, 9, 5, 9]);
  });

  test('CIFAR-10 of ERAN, as bytes', () => {
    const { dataset, format } = parseDataSet({ data: read('cifar/eran_cifar10_100.csv') });
    expect([format, dataset.count, dataset.shape, dataset.values instanceof Uint8Array]).toEqual([
      'csv',
      100,
      [3072],
      true,
    ]);
  });
});
