/** Work on the same key one after the other, on different keys at the same time. */
export interface Locks {
  hold<T>(key: string, work: () => Promise<T>): Promise<T>;
}

export function createLocks(): Locks {
  const lines = new Map<string, Promise<unknown>>();
  return {
    hold(key, work) {
      const before = lines.get(key) ?? Promise.resolve();
      const result = before.then(work, work);
      lines.set(key, result);
      const leave = (): void => {
        if (lines.get(key) === result) lines.delete(key);
      };
      result.then(leave, leave);
      return result;
    },
  };
}
