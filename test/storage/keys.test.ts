import fc from 'fast-check';
import { diskNames, marks, textOfFolder, textOfObject } from '../../lib/storage/disk-names';
import { checkKey, checkPrefix, compareKeys, problemOfKey } from '../../lib/storage/keys';
import { strangeKeys } from '../conformance/storage-keys';

const text = fc.string({ unit: fc.constantFrom('a', 'b', '/', '%', '%25', 'é', '\u{ffff}', '\u{1f600}', '\u{10000}') });
const long = fc.tuple(text, fc.integer({ min: 0, max: 600 })).map(([t, n]) => t + 'l%'.repeat(n) + t);
const key = fc.oneof(text, long).filter((candidate) => problemOfKey(candidate) === undefined);

test('keys are ordered by their UTF-8 bytes', () => {
  fc.assert(
    fc.property(text, text, (a, b) => {
      expect(Math.sign(compareKeys(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }),
  );
});

test('each beginning of a key is a possible prefix', () => {
  fc.assert(
    fc.property(key, fc.nat(), (k, n) => {
      const characters = [...k];
      checkPrefix(characters.slice(0, n % (characters.length + 1)).join(''));
    }),
  );
});

test('a refused key is named, with what is wrong with it', () => {
  expect(() => checkKey('a/../b')).toThrow('storage key "a/../b" has a segment . or ..');
  expect(() => checkKey('a//b')).toThrow('storage key "a//b" has an empty segment');
  expect(() => checkPrefix('/a')).toThrow('storage prefix "/a" has an empty segment');
  expect(() => checkKey('é'.repeat(600))).toThrow('has 1200 bytes; at most 1024 are possible');
});

describe('file names', () => {
  test('of ordinary keys are the keys', () => {
    for (const ordinary of ['run.json', 'runs/2026-11-22T10:00/rounds/0/results/ab cd.json', 'models/größe.onnx']) {
      expect(diskNames(ordinary).join('/')).toBe(ordinary);
    }
  });

  test('fit into 255 bytes with any mark, and tell the key', () => {
    fc.assert(
      fc.property(fc.oneof(key, fc.constantFrom(...strangeKeys)), (k) => {
        const names = diskNames(k);
        for (const name of names) expect(Buffer.byteLength(name + marks.folder)).toBeLessThanOrEqual(255);
        const folders = names.slice(0, -1).map(textOfFolder).join('');
        expect(folders + textOfObject(names[names.length - 1])).toBe(k);
      }),
    );
  });

  test('never are marks or the temporary folder', () => {
    fc.assert(
      fc.property(key, (k) => {
        for (const name of diskNames(k).slice(-1)) expect(name).not.toMatch(/%(?!25)/);
        for (const name of diskNames(k)) expect(name).not.toMatch(/%(?!25|more$)/);
      }),
    );
  });
});
