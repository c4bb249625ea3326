import { fewestInputs, judgeAccuracy } from '../../lib/dataset/accuracy';

test.each<[string, number, number, number, string]>([
  ['a good model', 9810, 10000, 10, 'ok'],
  ['a robustly trained one on few inputs', 30, 60, 10, 'ok'],
  ['100 classes', 3000, 10000, 100, 'ok'],
  ['two classes', 75, 100, 2, 'ok'],
  ['chance', 1000, 10000, 10, 'near chance'],
  ['one class only, the most frequent of MNIST', 1135, 10000, 10, 'near chance'],
  ['a wrong layout (measured on CIFAR-10)', 11, 100, 10, 'near chance'],
  ['far below chance: labels in another order', 0, 10000, 10, 'near chance'],
  ['chance of two classes', 55, 100, 2, 'near chance'],
  ['none of few', 0, fewestInputs - 1, 10, 'too few inputs'],
  ['none of just enough', 0, fewestInputs, 10, 'near chance'],
  ['nothing', 0, 0, 10, 'too few inputs'],
])('%s: %i of %i, %i classes: %s', (_, correct, total, classes, kind) => {
  const judgement = judgeAccuracy(correct, total, classes);
  expect(judgement.kind).toBe(kind);
  expect(judgement.accuracy).toBe(total === 0 ? 0 : correct / total);
});

test('the limit is chance, three deviations, and 0.05', () => {
  // 10 classes, 10,000 inputs: 0.1 + 3 * 0.003 + 0.05 = 0.159
  expect(judgeAccuracy(1591, 10000, 10).kind).toBe('ok');
  expect(judgeAccuracy(1589, 10000, 10).kind).toBe('near chance');
});

test.each([
  [3, 30, 10, true],
  [0, 1, 10, true],
  [9, 30, 10, true],
  [10, 30, 10, false],
  [16, 30, 2, false],
  [15, 30, 2, true],
  [1, 1, 10, false],
  [0, 0, 10, false],
])('%i of %i inputs, %i classes: worth a warning: %p', (correct, total, classes, expected) => {
  const judgement = judgeAccuracy(correct, total, classes);
  expect(judgement.kind).toBe('too few inputs');
  expect('message' in judgement).toBe(expected);
});

test('the warning names the likely causes', () => {
  expect(judgeAccuracy(3, 30, 10)).toHaveProperty(
    'message',
    expect.stringMatching(
      /^the model classifies 3 of 30 inputs \(10\.0 %\) as labelled, which are too few to tell from guessing among 10 classes \(10\.0 %\): check the scale .* layout .* mean and std .* labels/,
    ),
  );
});

test('the message names the likely causes', () => {
  const judgement = judgeAccuracy(9, 100, 10);
  expect(judgement).toHaveProperty(
    'message',
    'the model classifies 9 of 100 inputs (9.0 %) as labelled, no better than guessing among 10 classes (10.0 %): check ' +
      'the scale (0 to 255, or 0 to 1?), the layout (CHW or HWC?), mean and std (or is the normalisation part of the ' +
      "model already?), and that labels count the classes in the model's order from 0",
  );
});
