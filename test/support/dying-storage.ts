import type { Storage } from '../../lib/storage/storage';

/** Storage of a process that is killed right after so many writes. */
export function dyingAfter(inner: Storage, writes: number): Storage {
  let done = 0;
  const counted = async <Value>(write: () => Promise<Value>): Promise<Value> => {
    if (done++ >= writes) throw new Error('killed');
    return write();
  };
  return {
    ...inner,
    put: (key, body) => counted(() => inner.put(key, body)),
    putIfAbsent: (key, body) => counted(() => inner.putIfAbsent(key, body)),
  };
}
