import * as fc from 'fast-check';
import { BadInputError } from '../../lib/errors';
import {
  chooseBits,
  createFingerprints,
  decodeFingerprints,
  encodeFingerprints,
  type Fingerprints,
  hamming,
  ones,
  packPattern,
} from '../../lib/group/fingerprint';

const patterns = fc
  .integer({ min: 1, max: 100 })
  .chain((bits) =>
    fc.array(fc.array(fc.float(), { minLength: bits, maxLength: bits }), { minLength: 2, maxLength: 5 }),
  );

function packed(rows: readonly ArrayLike<number>[]): Fingerprints {
  const prints = createFingerprints(rows.length, rows[0].length);
  for (const [row, values] of rows.entries()) packPattern(prints, row, values);
  return prints;
}

describe('fingerprints', () => {
  test('a bit is set where the pre-activation is positive, and NaN is not', () => {
    const prints = packed([[-1, 2, 0, Number.NaN, 1e-45, Number.POSITIVE_INFINITY, -0]]);
    expect([...prints.words]).toEqual([0b0110010]);
  });

  test('the distance of two rows is the number of ReLUs in which they differ', () => {
    fc.assert(
      fc.property(patterns, (rows) => {
        const prints = packed(rows);
        for (let i = 0; i < rows.length; i++) {
          for (let j = 0; j < rows.length; j++) {
            expect(hamming(prints, i, j)).toBe(rows[i].filter((value, bit) => value > 0 !== rows[j][bit] > 0).length);
          }
        }
      }),
    );
  });

  test('packing a row again replaces it', () => {
    const prints = packed([new Array(40).fill(1), new Array(40).fill(1)]);
    packPattern(prints, 1, new Array(40).fill(-1));
    expect(hamming(prints, 0, 1)).toBe(40);
    expect([...prints.words]).toEqual([0xffffffff, 0xff, 0, 0]);
  });

  test('ones counts them', () => {
    fc.assert(fc.property(fc.integer(), (x) => expect(ones(x)).toBe((x >>> 0).toString(2).replaceAll('0', '').length)));
  });

  test('bytes restore them, even from the middle of a buffer', () => {
    fc.assert(
      fc.property(patterns, fc.nat(7), (rows, shift) => {
        const prints = packed(rows);
        const bytes = encodeFingerprints(prints);
        const shifted = new Uint8Array(bytes.length + shift);
        shifted.set(bytes, shift);
        expect(decodeFingerprints(shifted.subarray(shift))).toEqual(prints);
        expect(decodeFingerprints(Buffer.from(bytes))).toEqual(prints);
      }),
    );
  });

  test.each([
    ['empty', new Uint8Array(0)],
    ['something else', new TextEncoder().encode('{"count": 1, "bits": 2}')],
    ['cut', encodeFingerprints(createFingerprints(3, 40)).slice(0, -1)],
    ['of another version', encodeFingerprints(createFingerprints(3, 40)).with(4, 2)],
  ])('bytes that are %s are refused', (_, bytes) => {
    expect(() => decodeFingerprints(bytes)).toThrow(BadInputError);
  });
});

describe('choosing ReLUs', () => {
  const ones = Uint32Array.of(8, 4, 0, 1, 3, 8);

  test('takes those whose bits vary most', () => {
    expect([...chooseBits(ones, 8, 1)]).toEqual([1]);
    expect([...chooseBits(ones, 8, 2)]).toEqual([1, 4]);
    expect([...chooseBits(ones, 8, 3)]).toEqual([1, 3, 4]);
    expect([...chooseBits(ones, 8, 6)]).toEqual([0, 1, 2, 3, 4, 5]);
    expect([...chooseBits(ones, 8, 99)]).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test('takes equally good ones from everywhere', () => {
    const chosen = chooseBits(new Uint32Array(10_000), 4, 100);
    const quarters = [0, 1, 2, 3].map((q) => chosen.filter((bit) => Math.floor(bit / 2500) === q).length);
    expect(chosen.length).toBe(100);
    for (const count of quarters) expect(Math.abs(count - 25)).toBeLessThan(4);
  });
});
