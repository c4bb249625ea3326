import { labelOf, misclassification, violates } from '../../lib/region/violation';

describe('misclassification', () => {
  const violation = misclassification(1, 3);

  test('one half-space per other class', () => {
    expect(violation).toEqual([
      [{ coefficients: Float64Array.of(1, -1, 0), offset: 0 }],
      [{ coefficients: Float64Array.of(0, -1, 1), offset: 0 }],
    ]);
  });

  test.each<[string, number[], boolean]>([
    ['the label wins', [0, 1, 0], false],
    ['another class wins', [0, 1, 2], true],
    ['a tie', [1, 1, 0], true],
    ['the label wins by the least float32 step', [1, 1 + 2 ** -23, 0], false],
    ['negative and positive zero tie', [-0, 0, -1], true],
    ['NaN', [Number.NaN, Number.NaN, Number.NaN], false],
    ['NaN of one class', [Number.NaN, 1, 2], false],
  ])('%s', (_, outputs, expected) => {
    // A NaN times a zero coefficient is NaN: outputs with a NaN violate nothing.
    expect(violates(violation, Float32Array.from(outputs))).toBe(expected);
  });
});

test('a disjunction of conjunctions', () => {
  const half = (coefficients: number[], offset: number) => ({ coefficients: Float64Array.from(coefficients), offset });
  const violation = [[half([1, 0], -1), half([0, 1], -1)], [half([-1, 0], -5)]];
  expect(violates(violation, [1, 1])).toBe(true);
  expect(violates(violation, [1, 0.5])).toBe(false);
  expect(violates(violation, [-5, 0])).toBe(true);
  expect(violates([], [1, 1])).toBe(false);
  expect(violates([[]], [1, 1])).toBe(true);
});

describe('labelOf', () => {
  const violation = misclassification(2, 4);

  test('recognises misclassification in any order', () => {
    expect(labelOf(violation)).toBe(2);
    expect(labelOf([...violation].reverse())).toBe(2);
    expect(labelOf(misclassification(0, 2))).toBe(0);
  });

  test('and nothing else', () => {
    const [first, second, third] = violation;
    const edit = (coefficients: number[], offset = 0) => [[{ coefficients: Float64Array.from(coefficients), offset }]];
    expect(labelOf([])).toBeUndefined();
    expect(labelOf([first, second])).toBeUndefined();
    expect(labelOf([first, second, second])).toBeUndefined();
    expect(labelOf([[...first, ...second], second, third])).toBeUndefined();
    expect(labelOf([[], first, second, third])).toBeUndefined();
    expect(labelOf([first, second, ...edit([0, 0, -1, 1], 0.5)])).toBeUndefined();
    expect(labelOf([first, second, ...edit([0, 0, -1, 2])])).toBeUndefined();
    expect(labelOf([first, second, ...edit([0.5, 0, -1, 1])])).toBeUndefined();
    expect(labelOf([first, second, ...edit([0, -1, 0, 1])])).toBeUndefined();
  });
});
