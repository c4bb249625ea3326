import { MissingKeyError, type Storage } from '../../../lib/storage/storage';

/** A bucket in memory, for tests of what runs above storage. */
export function memoryStorage(objects: Record<string, string> = {}): Storage & { text(key: string): string } {
  const bodies = new Map(Object.entries(objects).map(([key, text]) => [key, Buffer.from(text)]));
  const get = (key: string) => {
    const body = bodies.get(key);
    if (body === undefined) throw new MissingKeyError(key);
    return body;
  };
  return {
    location: 'memory',
    text: (key) => get(key).toString(),
    get: async (key) => get(key),
    getRange: async (key, start, end) => get(key).subarray(start, end),
    put: async (key, body) => void bodies.set(key, Buffer.from(body as string)),
    putIfAbsent: async (key, body) => {
      if (bodies.has(key)) return false;
      bodies.set(key, Buffer.from(body as string));
      return true;
    },
    list: async (prefix) =>
      [...bodies.keys()]
        .filter((key) => key.startsWith(prefix))
        .sort()
        .map((key) => ({ key, size: get(key).length })),
  };
}
