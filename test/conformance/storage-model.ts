import fc from 'fast-check';
import { compareKeys } from '../../lib/storage/keys';
import { MissingKeyError, type Storage } from '../../lib/storage/storage';

/** What a storage should hold. */
export type Model = Map<string, Uint8Array>;
type Command = fc.AsyncCommand<Model, Storage>;

const command = (text: string, run: (model: Model, real: Storage) => Promise<void>): Command => ({
  check: () => true,
  run,
  toString: () => text,
});

async function outcome<T>(promise: Promise<T>): Promise<T | 'missing' | 'beyond'> {
  try {
    return await promise;
  } catch (error) {
    if (error instanceof MissingKeyError) return 'missing';
    if (error instanceof RangeError) return 'beyond';
    throw error;
  }
}

/** Few segments and few bodies, so that keys collide and nest. */
const segment = fc.constantFrom('a', 'b', 'ab', '%', 'ä', '\u{1f600}', '\u{fffd}', 'l'.repeat(250));
const key = fc.array(segment, { minLength: 1, maxLength: 3 }).map((segments) => segments.join('/'));
const prefix = fc.oneof(
  fc.constant(''),
  key,
  key.map((text) => `${text}/`),
  key.map((text) => [...text].slice(0, -1).join('')).filter((text) => !text.endsWith('//')),
);
const body = fc.uint8Array({ maxLength: 12 });

const put = fc.tuple(key, body).map(([k, b]) =>
  command(`put(${k}, ${b})`, async (model, real) => {
    await real.put(k, b);
    model.set(k, b);
  }),
);

const putIfAbsent = fc.tuple(key, body).map(([k, b]) =>
  command(`putIfAbsent(${k}, ${b})`, async (model, real) => {
    expect(await real.putIfAbsent(k, b)).toBe(!model.has(k));
    if (!model.has(k)) model.set(k, b);
  }),
);

const get = key.map((k) =>
  command(`get(${k})`, async (model, real) => {
    expect(await outcome(real.get(k))).toEqual(model.get(k) ?? 'missing');
  }),
);

const getRange = fc.tuple(key, fc.nat({ max: 12 }), fc.integer({ min: 1, max: 12 })).map(([k, start, length]) =>
  command(`getRange(${k}, ${start}, ${start + length})`, async (model, real) => {
    const all = model.get(k);
    const expected = all && (start < all.length ? all.slice(start, start + length) : 'beyond');
    expect(await outcome(real.getRange(k, start, start + length))).toEqual(expected ?? 'missing');
  }),
);

const list = prefix.map((p) =>
  command(`list(${p})`, async (model, real) => {
    const expected = [...model]
      .filter(([k]) => k.startsWith(p))
      .map(([k, b]) => ({ key: k, size: b.length }))
      .sort((one, other) => compareKeys(one.key, other.key));
    expect(await real.list(p)).toEqual(expected);
  }),
);

/** Random sequences of operations, each checked against the model. */
export function storageCommands() {
  return fc.commands<Model, Storage, false>([put, putIfAbsent, get, getRange, list], { maxCommands: 30 });
}
