import * as fc from 'fast-check';
import { BadInputError } from '../../lib/errors';
import { packIds, unpackIds } from '../../lib/schedule/packed';

const idLists = fc
  .oneof(
    fc.uniqueArray(fc.integer({ min: 0, max: 0xffffffff })),
    fc.uniqueArray(fc.nat(300)),
    fc.uniqueArray(fc.constantFrom(0, 127, 128, 129, 16_383, 16_384, 2_097_151, 2 ** 28, 2 ** 31, 0xffffffff)),
  )
  .map((ids) => ids.sort((a, b) => a - b));

describe('packed ids', () => {
  test('come back as they were', () => {
    fc.assert(fc.property(idLists, (ids) => expect([...unpackIds(packIds(ids))]).toEqual(ids)));
  });

  test('whatever text is accepted is exactly what packing writes', () => {
    const texts = fc.oneof(
      fc.base64String({ maxLength: 40 }),
      fc.string(),
      fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes).toString('base64')),
    );
    fc.assert(
      fc.property(texts, (text) => {
        let ids: Uint32Array;
        try {
          ids = unpackIds(text);
        } catch (error) {
          expect(error).toBeInstanceOf(BadInputError);
          return;
        }
        expect(packIds(ids)).toBe(text);
      }),
      { numRuns: 500 },
    );
  });

  test('256 ids of a million stay below a kilobyte', () => {
    const lists = fc.uniqueArray(fc.nat(999_999), { minLength: 256, maxLength: 256 });
    fc.assert(
      fc.property(lists, (ids) => expect(packIds(ids.sort((a, b) => a - b)).length).toBeLessThan(800)),
      { numRuns: 20 },
    );
    const even = Uint32Array.from({ length: 256 }, (_, i) => i * 3906);
    expect(packIds(even).length).toBeLessThan(700);
  });

  test.each([
    ['descending', [3, 2]],
    ['repeated', [3, 3]],
    ['negative', [-1]],
    ['too large', [2 ** 32]],
    ['not whole', [0.5]],
    ['not a number', [Number.NaN]],
  ])('a list that is %s is refused', (_, ids) => {
    expect(() => packIds(ids)).toThrow(RangeError);
  });

  test.each([
    ['no base64', 'a!b', /not base64/],
    ['cut within a number', Buffer.from([1, 0x80]).toString('base64'), /ends within a number/],
    ['a number of six bytes', Buffer.from([128, 128, 128, 128, 128, 1]).toString('base64'), /more than five bytes/],
    ['an id above 32 bits', Buffer.from([255, 255, 255, 255, 127]).toString('base64'), /above 2\^32/],
    ['a padded number', Buffer.from([0x81, 0]).toString('base64'), /longer than it needs/],
  ])('text with %s is a clear error', (_, text, message) => {
    expect(() => unpackIds(text)).toThrow(BadInputError);
    expect(() => unpackIds(text)).toThrow(message);
  });
});
