import { checkKey, checkPrefix, compareKeys } from '../../lib/storage/keys';
import { checkRange, MissingKeyError, rangeBeyondEnd, type Storage } from '../../lib/storage/storage';

const bytesOf = (body: Uint8Array | string) =>
  typeof body === 'string' ? new TextEncoder().encode(body) : Uint8Array.from(body);

/** A Storage in memory, for tests of what stands on storage; `content` is in it from the start. */
export function memoryStorage(content: Iterable<readonly [string, Uint8Array | string]> = []): Storage {
  const bodies = new Map([...content].map(([key, body]) => [key, bytesOf(body)] as const));
  const get = (key: string): Uint8Array => {
    checkKey(key);
    const body = bodies.get(key);
    if (body === undefined) throw new MissingKeyError(key);
    return body;
  };
  return {
    location: 'memory',
    get: async (key) => get(key).slice(),
    async getRange(key, start, end) {
      checkRange(start, end);
      const body = get(key);
      if (start >= body.length) throw rangeBeyondEnd(key, start, body.length);
      return body.slice(start, end);
    },
    async put(key, body) {
      checkKey(key);
      bodies.set(key, bytesOf(body));
    },
    async putIfAbsent(key, body) {
      checkKey(key);
      if (bodies.has(key)) return false;
      bodies.set(key, bytesOf(body));
      return true;
    },
    async list(prefix) {
      checkPrefix(prefix);
      return [...bodies]
        .filter(([key]) => key.startsWith(prefix))
        .map(([key, body]) => ({ key, size: body.length }))
        .sort((a, b) => compareKeys(a.key, b.key));
    },
  };
}
