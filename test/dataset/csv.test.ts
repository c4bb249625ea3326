import { readFileSync } from 'node:fs';
import { parseCsv, splitLabelColumn } from '../../lib/dataset/csv';
import { problemsOf } from '../support/problems';
import { describeWithData, sharedData } from '../support/shared-data';

const bytes = (text: string) => new TextEncoder().encode(text);

test('rows of numbers, with and without a header, blanks, CRLF and a byte-order mark', () => {
  const table = { shape: [2, 3], values: Float64Array.of(7, 0, 0.5, 1, 255, -1e-3) };
  expect(parseCsv(bytes('7,0,.5\n1,255,-1e-3\n'), 'a')).toEqual(table);
  expect(parseCsv(bytes('label,1x1,1x2\n7,0,0.5\n\n1,255,-0.001'), 'a')).toEqual(table);
  expect(parseCsv(bytes('\ufefflabel,0,1\r\n 7, 0, 0.5\r\n1,255,-0.001\r\n'), 'a')).toEqual(table);
});

test('every bad row is named by its line', () => {
  expect(problemsOf(() => parseCsv(bytes('l,a,b\n7,0,1\n3,x,2\n4,,5\n5,6\n6,NaN,1\n7,1e999,2\n'), 'a'))).toEqual([
    'line 3, column 2: "x" is not a number',
    'line 4, column 2: "" is not a number',
    'line 5 has 2 cells, the first row has 3',
    'line 6, column 2: "NaN" is not a number',
    'line 7, column 2: "1e999" is not a number',
  ]);
});

test('a first row that only starts as numbers do is no header', () => {
  expect(problemsOf(() => parseCsv(bytes('7,abc\n1,2\n'), 'a'))).toEqual(['line 1, column 2: "abc" is not a number']);
});

test('many bad rows are counted', () => {
  const problems = problemsOf(() => parseCsv(bytes('1,2\n'.concat('1,x\n'.repeat(25))), 'a'));
  expect(problems).toHaveLength(11);
  expect(problems[10]).toBe('and 15 more such rows');
});

test('nothing, and one column', () => {
  expect(problemsOf(() => parseCsv(bytes('label,x\n'), 'a'))).toEqual(['has no rows of numbers']);
  expect(problemsOf(() => parseCsv(bytes('1,"2\n'), 'a'))[0]).toMatch(/^is not a table of comma-separated values/);
  expect(problemsOf(() => splitLabelColumn({ shape: [2, 1], values: Float64Array.of(1, 2) }, 'a'))).toEqual([
    'has one column; a row is the label, then the values of the input',
  ]);
});

describeWithData('CIFAR-10 of ERAN', () => {
  test('100 labels and images', () => {
    const name = 'cifar/eran_cifar10_100.csv';
    const { inputs, labels } = splitLabelColumn(parseCsv(readFileSync(sharedData(name)), name), name);
    expect(inputs.shape).toEqual([100, 3072]);
    expect([...labels.values.subarray(0, 10)]).toEqual([3, 8, 8, 0, 6, 6, 1, 6, 3, 1]);
    expect([...inputs.values.subarray(0, 6)]).toEqual([158, 112, 49, 159, 111, 47]);
  });
});
