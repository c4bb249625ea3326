import { parseEpsilon, parseEpsilons } from '../../lib/dataset/epsilon';
import { problemsOf } from '../support/problems';

test.each([
  ['0.02', 0.02],
  ['8/255', 8 / 255],
  ['1e-3', 1e-3],
  ['.5', 0.5],
  ['1', 1],
  ['2. / 255', 2 / 255],
])('%s', (text, value) => {
  expect(parseEpsilon(text)).toEqual({ text, value });
});

test('a list keeps its order; blanks around a radius are dropped', () => {
  expect(parseEpsilons(' 0.05, 8/255,1e-3 ')).toEqual([
    { text: '0.05', value: 0.05 },
    { text: '8/255', value: 8 / 255 },
    { text: '1e-3', value: 1e-3 },
  ]);
});

test('the width of the valid range is the largest radius', () => {
  expect(parseEpsilon('8', [0, 255]).value).toBe(8);
  expect(parseEpsilon('2', [-1, 1]).value).toBe(2);
  expect(problemsOf(() => parseEpsilon('8'))).toEqual([
    'radius 8 is wider than the valid range [0, 1] of a pixel: it is in pixel units after scaling (8/255?)',
  ]);
  expect(problemsOf(() => parseEpsilon('2.5', [-1, 1]))).toEqual([
    'radius 2.5 is wider than the valid range [-1, 1] of a pixel: it is in pixel units after scaling',
  ]);
});

test('all problems at once', () => {
  const rubbish = (text: string) => `"${text}" is not a radius: write a number (0.02, 1e-3) or a fraction (8/255)`;
  expect(problemsOf(() => parseEpsilons('0.1,,-1/255,0,1e-400,1/0,0/0,1e999,NaN,0x1,1/2/3,0.5,1/2,0.10'))).toEqual([
    rubbish(''),
    'radius -1/255, which is -0.00392156862745098, must be above 0',
    'radius 0 must be above 0',
    'radius 1e-400, which is 0, must be above 0',
    'radius 1/0 is not a finite number',
    'radius 0/0 is not a finite number',
    'radius 1e999 is not a finite number',
    rubbish('NaN'),
    rubbish('0x1'),
    rubbish('1/2/3'),
    'radius 1/2 is given twice (as 0.5): leave one out',
    'radius 0.10 is given twice (as 0.1): leave one out',
  ]);
  expect(problemsOf(() => parseEpsilon('0.1,0.2'))).toEqual([rubbish('0.1,0.2')]);
});
