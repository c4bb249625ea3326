import { ServiceError } from './message';

/** Keeps what the bodies under way take together within a limit. */
export interface Gate {
  /** Does the work while so many bytes count as taken; ServiceError SlowDown, which clients try again, where they do not fit. */
  within<T>(bytes: number, work: () => Promise<T>): Promise<T>;
}

export function createGate(limit: number): Gate {
  let taken = 0;
  return {
    async within(bytes, work) {
      if (taken > 0 && taken + bytes > limit)
        throw new ServiceError(503, 'SlowDown', 'Please reduce your request rate.');
      taken += bytes;
      try {
        return await work();
      } finally {
        taken -= bytes;
      }
    },
  };
}
