import fc from 'fast-check';
import { aliveLists, bitsOf, hasSign, isAbove0, splitLists } from '../../lib/bounds/dense/lists';

const lend = (size: number) => new Float32Array(size).fill(Number.NaN);
const own = ({ list, count, size }: ReturnType<typeof aliveLists>, ball: number) => [
  ...list.subarray(ball * size, ball * size + count[ball]),
];

/** Float32 numbers of given bits: a NaN may have any sign and payload. */
const floatsOf = (bits: readonly number[]) => new Float32Array(Int32Array.from(bits).buffer);

test.each([
  ['0', 0, 0],
  ['-0', 0x80000000 | 0, 1],
  ['the least number above 0', 1, 1],
  ['the largest one below 0', 0x80000001 | 0, 0],
  ['1', 0x3f800000, 1],
  ['-1', 0xbf800000 | 0, 0],
  ['Infinity', 0x7f800000, 1],
  ['-Infinity', 0xff800000 | 0, 0],
  ['the NaN that processors make', 0xffc00000 | 0, 1],
  ['another NaN with the sign', 0xff800001 | 0, 1],
  ['the last NaN with the sign', 0xffffffff | 0, 1],
  ['a NaN without it', 0x7fc00000, 1],
])('the bits of %s tell whether it may be above 0', (_, bits, expected) => {
  expect(isAbove0(bits)).toBe(expected);
  expect(hasSign(bits)).toBe(bits < 0 ? 1 : 0);
});

test('lists hold every neuron that is not inactive, whatever the bits of its bounds', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }).chain((size) => {
        const bounds = fc.array(fc.oneof(fc.integer(), fc.constantFrom(0, 0x80000000 | 0, 0xffc00000 | 0)), {
          minLength: 3 * size,
          maxLength: 3 * size,
        });
        return fc.tuple(fc.constant(size), bounds, bounds);
      }),
      ([size, low, high]) => {
        const [lower, upper] = [floatsOf(low), floatsOf(high)];
        const balls = [2, 0];
        const alive = aliveLists(upper, balls, size, lend);
        const { unstable, steady } = splitLists(lower, upper, balls, size, lend);
        for (const [b, ball] of balls.entries()) {
          const neurons = Array.from({ length: size }, (_, j) => j);
          // -0 may be in a list where it need not be.
          const isOut = (j: number) => upper[ball * size + j] <= 0 && !Object.is(upper[ball * size + j], -0);
          expect(own(alive, b)).toEqual(neurons.filter((j) => !isOut(j)));
          expect([...own(unstable, b), ...own(steady, b)].sort((x, y) => x - y)).toEqual(own(alive, b));
          for (const j of own(alive, b)) {
            const l = lower[ball * size + j];
            if (l < 0) expect(own(unstable, b)).toContain(j);
            if (l >= 0 && !Object.is(l, -0)) expect(own(steady, b)).toContain(j);
          }
        }
        expect(bitsOf(upper)).toEqual(Int32Array.from(high));
      },
    ),
  );
});
