/** Consecutive items read by one request, and which of them are wanted. */
export interface ItemRange {
  /** First item. */
  readonly first: number;
  /** One past the last item. */
  readonly end: number;
  /** Ascending, without repeats. */
  readonly wanted: readonly number[];
}

/** Reading this many unwanted bytes costs less than another request. */
const worthwhileGap = 64 * 1024;
/** One request reads at most this much, unless a single item is larger. */
const largestRange = 8 * 1024 * 1024;

/**
 * The fewest sensible range reads that cover the items: neighbours whose gap is at most 64 KiB are read together, up to
 * 8 MiB a request. Throws RangeError for an index outside 0 to count - 1.
 */
export function coalesce(indices: ArrayLike<number>, count: number, itemBytes: number): ItemRange[] {
  const ascending = [...new Set(Array.from(indices))].sort((a, b) => a - b);
  const ranges: { first: number; end: number; wanted: number[] }[] = [];
  for (const index of ascending) {
    if (!(Number.isInteger(index) && index >= 0 && index < count)) {
      throw new RangeError(`there is no input ${index}: the data set has inputs 0 to ${count - 1}`);
    }
    const last = ranges.at(-1);
    const near =
      last !== undefined &&
      (index - last.end) * itemBytes <= worthwhileGap &&
      (index + 1 - last.first) * itemBytes <= largestRange;
    if (near) {
      last.end = index + 1;
      last.wanted.push(index);
    } else {
      ranges.push({ first: index, end: index + 1, wanted: [index] });
    }
  }
  return ranges;
}
