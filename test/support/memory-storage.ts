import { MissingKeyError, type Storage } from '../../lib/storage/storage';

const bytesOf = (body: Uint8Array | string) =>
  typeof body === 'string' ? new TextEncoder().encode(body) : Uint8Array.from(body);

/** A Storage in memory, for tests of what stands on storage. */
export function memoryStorage(): Storage {
  const bodies = new Map<string, Uint8Array>();
  const get = (key: string): Uint8Array => {
    const body = bodies.get(checked(key));
    if (body === undefined) throw new MissingKeyError(key);
    return body;
  };
  return {
    location: 'memory',
    get: async (key) => get(key).slice(),
    async getRange(key, start, end) {
      const body = get(key);
      if (start < 0 || start >= body.length || end < start) throw new RangeError(`bytes ${start} to ${end} of ${key}`);
      return body.slice(start, end);
    },
    async put(key, body) {
      bodies.set(checked(key), bytesOf(body));
    },
    async putIfAbsent(key, body) {
      if (bodies.has(checked(key))) return false;
      bodies.set(key, bytesOf(body));
      return true;
    },
    async list(prefix) {
      return [...bodies]
        .filter(([key]) => key.startsWith(prefix))
        .map(([key, body]) => ({ key, size: body.length }))
        .sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
    },
  };
}

function checked(key: string): string {
  const size = Buffer.byteLength(key);
  const wrong = size < 1 || size > 1024 || key.split('/').some((part) => part === '' || part === '.' || part === '..');
  if (wrong) throw new TypeError(`bad key ${JSON.stringify(key)}`);
  return key;
}
