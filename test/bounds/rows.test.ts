import fc from 'fast-check';
import { runsOf } from '../../lib/bounds/rows';

const counts = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 300 })), {
  maxLength: 30,
});

test('every row of every ball is in one call, and no call is much larger than asked', () => {
  fc.assert(
    fc.property(counts, fc.integer({ min: 1, max: 64 }), (own, perCall) => {
      const seen = own.map((count) => new Array<number>(count).fill(0));
      let [tooLarge, empty] = [0, 0];
      for (const { first, balls, from, rows } of runsOf(own, perCall)) {
        if (balls * rows > 1.5 * perCall) tooLarge++;
        for (let b = first; b < first + balls; b++) {
          if (own[b] === 0) empty++;
          for (let r = from; r < Math.min(from + rows, own[b]); r++) seen[b][r]++;
        }
      }
      expect({ tooLarge, empty, wrong: seen.flat().filter((times) => times !== 1).length }).toEqual({
        tooLarge: 0,
        empty: 0,
        wrong: 0,
      });
    }),
  );
});

test('balls with as many rows share a call, very different ones do not', () => {
  expect(runsOf([9, 9, 9, 9], 20)).toEqual([
    { first: 0, balls: 3, from: 0, rows: 9 },
    { first: 3, balls: 1, from: 0, rows: 9 },
  ]);
  expect(runsOf([1, 9], 20)).toEqual([
    { first: 0, balls: 1, from: 0, rows: 1 },
    { first: 1, balls: 1, from: 0, rows: 9 },
  ]);
});
