import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { compareKeys } from '../../lib/storage/keys';
import { getJson, getText, MissingKeyError, type Storage } from '../../lib/storage/storage';
import { refusedKeys, refusedPrefixes, strangeKeys, titled } from './storage-keys';
import { type Model, storageCommands } from './storage-model';

/** What a suite needs to test one implementation. */
export interface StorageUnderTest {
  readonly storage: Storage;
  /** Called after the test. */
  dispose?(): Promise<void>;
}

/**
 * The tests that every implementation of Storage has to pass.
 *
 * @param makeStorage gives an empty storage; called for each test
 */
export function storageConformance(name: string, makeStorage: () => Promise<StorageUnderTest>): void {
  describe(`storage conformance: ${name}`, () => {
    let made: StorageUnderTest;
    let storage: Storage;

    beforeEach(async () => {
      made = await makeStorage();
      storage = made.storage;
    });

    afterEach(async () => {
      await made.dispose?.();
    });

    const keysOf = async (prefix: string) => (await storage.list(prefix)).map(({ key }) => key);

    describe('bodies', () => {
      test('come back byte by byte', async () => {
        const body = Uint8Array.from({ length: 1000 }, (_, i) => i % 256);
        await storage.put('a/bytes.bin', body);
        const got = await storage.get('a/bytes.bin');
        expect(got.constructor).toBe(Uint8Array);
        expect(got).toEqual(body);
      });

      test('come back in a buffer of their own, which other typed arrays can view', async () => {
        await storage.put('floats', new Uint8Array(Float64Array.of(1.5, -2, 3).buffer));
        for (const got of [await storage.get('floats'), await storage.getRange('floats', 0, 24)]) {
          expect([got.byteOffset, got.buffer.byteLength]).toEqual([0, 24]);
          expect([...new Float64Array(got.buffer)]).toEqual([1.5, -2, 3]);
        }
      });

      test('given as text are UTF-8', async () => {
        await storage.put('text', 'ε ≤ 0.02 😀');
        expect(await storage.get('text')).toEqual(new Uint8Array(Buffer.from('ε ≤ 0.02 😀')));
        expect(await getText(storage, 'text')).toBe('ε ≤ 0.02 😀');
        await storage.put('value', '{"x":[1]}');
        expect(await getJson(storage, 'value')).toEqual({ x: [1] });
      });

      test('may be empty', async () => {
        await storage.put('empty', '');
        expect(await storage.putIfAbsent('also-empty', new Uint8Array())).toBe(true);
        expect((await storage.get('empty')).length).toBe(0);
        expect(await storage.list('')).toEqual([
          { key: 'also-empty', size: 0 },
          { key: 'empty', size: 0 },
        ]);
      });

      test('of 6 MB come back whole and in part', async () => {
        const body = new Uint8Array(randomBytes(6_000_000));
        await storage.put('big', body);
        expect(Buffer.compare(await storage.get('big'), body)).toBe(0);
        expect(await storage.getRange('big', 5_999_990, 6_000_000)).toEqual(body.slice(5_999_990));
        expect(await storage.list('big')).toEqual([{ key: 'big', size: 6_000_000 }]);
      });

      test('that are a view on a larger buffer are written without the rest', async () => {
        await storage.put('view', Uint8Array.of(9, 1, 2, 9).subarray(1, 3));
        expect(await storage.get('view')).toEqual(Uint8Array.of(1, 2));
      });

      test('are replaced', async () => {
        await storage.put('key', 'a long first body');
        await storage.put('key', 'second');
        expect(await getText(storage, 'key')).toBe('second');
      });

      test('are seen whole while they are replaced', async () => {
        const bodies = Array.from({ length: 10 }, (_, i) => new Uint8Array(20_000 + 5_000 * i).fill(i));
        await storage.put('key', bodies[0]);
        let writing = true;
        const writer = (async () => {
          for (const body of bodies) await storage.put('key', body);
          writing = false;
        })();
        let reads = 0;
        while (writing || reads === 0) {
          const got = await storage.get('key');
          expect(Buffer.compare(got, bodies[got[0]])).toBe(0);
          reads++;
        }
        await writer;
        expect(await storage.get('key')).toEqual(bodies[9]);
      });
    });

    describe('ranges', () => {
      beforeEach(() => storage.put('digits', '0123456789'));

      test.each([
        [0, 10, '0123456789'],
        [0, 1, '0'],
        [9, 10, '9'],
        [3, 7, '3456'],
        [8, 1000, '89'],
        [0, Number.MAX_SAFE_INTEGER, '0123456789'],
      ])('%d to %d', async (start, end, expected) => {
        expect(Buffer.from(await storage.getRange('digits', start, end)).toString()).toBe(expected);
      });

      test.each([
        [10, 11],
        [1000, 1001],
        [3, 3],
        [4, 3],
        [-1, 3],
        [0.5, 3],
        [0, Number.NaN],
        [0, Number.POSITIVE_INFINITY],
      ])('%d to %d is a RangeError', async (start, end) => {
        await expect(storage.getRange('digits', start, end)).rejects.toThrow(RangeError);
      });

      test('of an empty body are RangeErrors', async () => {
        await storage.put('empty', '');
        await expect(storage.getRange('empty', 0, 1)).rejects.toThrow(RangeError);
      });
    });

    describe('missing keys', () => {
      test.each(['nothing', 'folder/nothing', 'folder', 'object/below'])('%s', async (key) => {
        await storage.put('folder/something', 'x');
        await storage.put('object', 'x');
        const error = await storage.get(key).then(
          () => undefined,
          (reason) => reason,
        );
        expect(error).toBeInstanceOf(MissingKeyError);
        expect(error.key).toBe(key);
        await expect(storage.getRange(key, 0, 1)).rejects.toThrow(MissingKeyError);
      });
    });

    describe('put if absent', () => {
      test('writes once', async () => {
        expect(await storage.putIfAbsent('a/b', 'first')).toBe(true);
        expect(await storage.putIfAbsent('a/b', 'second')).toBe(false);
        expect(await getText(storage, 'a/b')).toBe('first');
        await storage.put('a/b', 'third');
        expect(await storage.putIfAbsent('a/b', 'fourth')).toBe(false);
        expect(await getText(storage, 'a/b')).toBe('third');
      });

      test('has one winner among 20 concurrent writers, who do not wait for each other', async () => {
        const results = await Promise.all(
          Array.from({ length: 20 }, (_, i) => storage.putIfAbsent('race', `writer ${i}`)),
        );
        expect(results.filter((won) => won)).toHaveLength(1);
        expect(await getText(storage, 'race')).toBe(`writer ${results.indexOf(true)}`);
      });
    });

    describe('lists', () => {
      test('of an empty storage are empty', async () => {
        expect(await storage.list('')).toEqual([]);
        expect(await storage.list('runs/')).toEqual([]);
      });

      test('have the keys and sizes in the order of their UTF-8 bytes', async () => {
        // U+FFFD sorts before U+1F600 in UTF-8, and behind it in UTF-16; `-` and `.` before `/`, `0` behind it.
        const keys = ['a', 'a b', 'a%b', 'a-b', 'a.b', 'a/b', 'a/b/c', 'a/é', 'a0', 'b', 'é', '\u{fffd}', '\u{1f600}'];
        for (const key of [...keys].reverse()) await storage.put(key, key);
        expect(await storage.list('')).toEqual(keys.map((key) => ({ key, size: Buffer.byteLength(key) })));
      });

      test('of more than 1,000 keys are complete and ordered', async () => {
        const keys = Array.from({ length: 1_100 }, (_, i) => `many/${(i * 7919) % 1_100}/x`);
        for (let i = 0; i < keys.length; i += 50) {
          await Promise.all(keys.slice(i, i + 50).map((key) => storage.put(key, '.')));
        }
        expect(await keysOf('many/')).toEqual([...keys].sort(compareKeys));
        expect(await keysOf('many/10')).toHaveLength(1 + 10 + 100);
      });

      test('take the prefix as a string, not as a folder', async () => {
        const keys = ['run', 'runs', 'runs-old/a', 'runs/1/a', 'runs/1/b', 'runs/10/a', 'runs/2/a', 'runt'];
        for (const key of keys) await storage.put(key, '');
        expect(await keysOf('run')).toEqual(keys);
        expect(await keysOf('runs')).toEqual(keys.slice(1, -1));
        expect(await keysOf('runs/')).toEqual(keys.slice(3, -1));
        expect(await keysOf('runs/1')).toEqual(['runs/1/a', 'runs/1/b', 'runs/10/a']);
        expect(await keysOf('runs/1/')).toEqual(['runs/1/a', 'runs/1/b']);
        expect(await keysOf('runs/1/b')).toEqual(['runs/1/b']);
        expect(await keysOf('runs/1/b/')).toEqual([]);
        expect(await keysOf('runs/3')).toEqual([]);
      });

      test.each(titled(refusedPrefixes))('refuse the prefix %j, which no key has', async (_, prefix) => {
        await expect(storage.list(prefix)).rejects.toThrow(TypeError);
      });
    });

    describe('keys', () => {
      test.each(titled(refusedKeys))('%j is refused', async (_, key) => {
        await expect(storage.get(key)).rejects.toThrow(TypeError);
        await expect(storage.getRange(key, 0, 1)).rejects.toThrow(TypeError);
        await expect(storage.put(key, 'x')).rejects.toThrow(TypeError);
        await expect(storage.putIfAbsent(key, 'x')).rejects.toThrow(TypeError);
        expect(await storage.list('')).toEqual([]);
      });

      test('of all kinds name different objects', async () => {
        for (const key of strangeKeys) expect(await storage.putIfAbsent(key, `body of ${key}`)).toBe(true);
        for (const key of strangeKeys) expect(await getText(storage, key)).toBe(`body of ${key}`);
        for (const key of strangeKeys) expect((await keysOf(key))[0]).toBe(key);
        expect(await keysOf('')).toEqual([...strangeKeys].sort(compareKeys));
      });

      test.each([
        ['shorter first', ['a', 'a/b', 'a/b/c', 'a/b/c/d']],
        ['longer first', ['a/b/c/d', 'a/b/c', 'a/b', 'a']],
        ['mixed', ['a/b', 'a', 'a/b/c/d', 'a/b/c', 'a/x/y', 'a/x']],
      ])('may be the beginning of other keys, %s', async (_, keys) => {
        for (const key of keys) {
          expect(await storage.putIfAbsent(key, 'first')).toBe(true);
          expect(await storage.putIfAbsent(key, 'second')).toBe(false);
          await storage.put(key, `third ${key}`);
        }
        for (const key of keys) {
          expect(await getText(storage, key)).toBe(`third ${key}`);
          expect(Buffer.from(await storage.getRange(key, 0, 5)).toString()).toBe('third');
        }
        expect(await keysOf('')).toEqual([...keys].sort(compareKeys));
        expect(await keysOf('a/')).toEqual(keys.filter((key) => key !== 'a').sort(compareKeys));
        expect(await keysOf('a/b/')).toEqual(keys.filter((key) => key.startsWith('a/b/')).sort(compareKeys));
      });

      test('may be written together with keys that they begin', async () => {
        const keys = ['a', 'a/b', 'a/b/c', 'a/b/d', 'a/e', 'f', 'f/g'];
        const written = await Promise.all(
          keys.flatMap((key) => [key, key]).map((key) => storage.putIfAbsent(key, key)),
        );
        expect(written.filter((won) => won)).toHaveLength(keys.length);
        for (const key of keys) expect(await getText(storage, key)).toBe(key);
        expect(await keysOf('')).toEqual(keys);
      });
    });

    test('any sequence of operations does what it does to a map', async () => {
      await fc.assert(
        fc.asyncProperty(storageCommands(), async (commands) => {
          const { storage: fresh, dispose } = await makeStorage();
          const model: Model = new Map();
          try {
            await fc.asyncModelRun(() => ({ model, real: fresh }), commands);
          } finally {
            await dispose?.();
          }
        }),
        { numRuns: 40 },
      );
    });
  });
}
