import { foldError, foldErrorOf, foldOf, largestFoldError, noteSum, sumOfProducts } from '../../lib/network/folding';
import type { SelectNode } from '../../lib/network/network';
import { random } from '../../lib/random';
import { add, approximate, compare, multiply, negate, rational, zero } from '../support/rational';

const select = (bias: number[], more: Partial<SelectNode> = {}): SelectNode => ({
  kind: 'select',
  name: 's',
  shape: [bias.length],
  size: bias.length,
  from: 0,
  index: Int32Array.from(bias.keys()),
  bias: Float64Array.from(bias),
  ...more,
});

test('values of float32 are exact, others a few roundings off unless the node says otherwise', () => {
  expect(foldErrorOf(select([0.5, Math.fround(0.1)]))).toBe(0);
  expect(foldErrorOf(select([0.5, 0.1]))).toBe(2 ** -50);
  expect(foldErrorOf(select([0.5, 0.1], { foldError: 2 ** -40 }))).toBe(2 ** -40);
});

test('the noted error is at least the real one, and small unless nearly everything cancels', () => {
  const rng = random(3);
  let refused = 0;
  for (let n = 0; n < 300; n++) {
    const values = (): number[] =>
      Array.from({ length: 12 }, () => Math.fround((2 * rng.uniform() - 1) * 10 ** (rng.int(30) - 15)));
    const [a, b] = [values(), values()];
    // Append terms that cancel what is there, to a depth that differs.
    for (let depth = rng.int(5); depth > 0; depth--) {
      a.push(Math.fround(-a.reduce((sum, value, i) => sum + value * b[i], 0)));
      b.push(1);
    }
    const fold = foldOf(select([1]), select([1]));
    const value = sumOfProducts(fold, a, b);
    const exact = a.reduce((sum, v, i) => add(sum, multiply(rational(v), rational(b[i]))), zero);
    const difference = add(rational(value), negate(exact));
    const off = difference.n < 0n ? negate(difference) : difference;
    if (foldError(fold) === undefined) {
      refused++;
      continue;
    }
    expect(approximate(off)).toBeLessThanOrEqual(fold.largest * Math.abs(value) * 1.01);
    expect(fold.largest).toBeLessThanOrEqual(largestFoldError);
  }
  expect(refused).toBeLessThan(30);
});

test('a sum whose first digit is lost is not folded; one that cancels exactly is', () => {
  const wrong = foldOf(select([0.1]), select([0.3]));
  sumOfProducts(wrong, [1e20, Math.PI, -1e20], [1, 1e-3, 1]);
  expect(foldError(wrong)).toBeUndefined();
  const exact = foldOf(select([0.5]), select([0.5]));
  expect(sumOfProducts(exact, [0.5, -0.25], [1, 2])).toBe(0);
  expect(foldError(exact)).toEqual({ foldError: 0 });
});

test('a plain sum is taken where it is good enough', () => {
  const fold = foldOf(select([1]), select([1]));
  expect(noteSum(fold, 3, 3.5, 4)).toBe(true);
  expect(noteSum(fold, 1e-9, 3.5, 4)).toBe(false);
  expect(noteSum(fold, 0, 0, 4)).toBe(true);
  expect(fold.largest).toBeLessThan(2 ** -44);
  expect(compare(rational(fold.largest), zero)).toBeGreaterThan(0);
});

test('overflow is not folded', () => {
  const fold = foldOf(select([1]), select([1]));
  sumOfProducts(fold, [1e200, 1], [1e200, 1]);
  expect(foldError(fold)).toBeUndefined();
});
