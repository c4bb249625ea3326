/** How many listings are kept, and for how many milliseconds. */
const most = 8;
const longest = 60_000;

/** The keys of listings whose pages are being asked for, so that 40 pages do not walk the folders 40 times. */
export interface Listings {
  /** In ascending order; `continued`: as they were when the first page was asked for, if that is not long ago. */
  keys(prefix: string, continued: boolean): Promise<readonly string[]>;
  /** Something was written or removed by a request: pages to come know of it. */
  forget(): void;
}

/** @param walk gives the keys with a prefix, in ascending order */
export function createListings(walk: (prefix: string) => Promise<string[]>, now: () => number = Date.now): Listings {
  const kept = new Map<string, { readonly keys: readonly string[]; readonly since: number }>();
  return {
    async keys(prefix, continued) {
      const known = kept.get(prefix);
      if (continued && known !== undefined && now() - known.since < longest) return known.keys;
      const since = now();
      const keys = await walk(prefix);
      kept.delete(prefix);
      kept.set(prefix, { keys, since });
      for (const [oldest] of kept) if (kept.size > most) kept.delete(oldest);
      return keys;
    },
    forget: () => kept.clear(),
  };
}
