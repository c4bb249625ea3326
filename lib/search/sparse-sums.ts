import type { SparseRow } from '../network/affine-rows';

/** A sum of sparse rows, in float64: row after row is added, then the sum taken, which leaves 0. */
export interface Sums {
  add(row: SparseRow, weight: number): void;
  addAt(index: number, value: number): void;
  /** The entries that are not 0 (NaN is kept), with indices ascending. */
  take(): SparseRow;
}

/** The row without entries. */
export const none: SparseRow = { index: new Int32Array(0), value: new Float64Array(0) };

/** For rows whose indices lie near each other, as those of a convolution on its input: looks through everything between the first and the last. */
export function rangeSums(size: number): Sums {
  const sums = new Float64Array(size);
  let [first, end] = [size, 0];
  return {
    add({ index, value }, weight) {
      if (index.length === 0) return;
      first = Math.min(first, index[0]);
      end = Math.max(end, index[index.length - 1] + 1);
      for (let i = 0; i < index.length; i++) sums[index[i]] += weight * value[i];
    },
    addAt(index, value) {
      first = Math.min(first, index);
      end = Math.max(end, index + 1);
      sums[index] += value;
    },
    take() {
      const row = nonzero(sums, first, end);
      sums.fill(0, first, Math.max(first, end));
      [first, end] = [size, 0];
      return row;
    },
  };
}

function nonzero(sums: Float64Array, first: number, end: number): SparseRow {
  let count = 0;
  for (let p = first; p < end; p++) if (sums[p] !== 0) count++;
  if (count === 0) return none;
  const index = new Int32Array(count);
  const value = new Float64Array(count);
  for (let p = first, at = 0; p < end; p++) {
    if (sums[p] === 0) continue;
    index[at] = p;
    value[at++] = sums[p];
  }
  return { index, value };
}

/** For few entries that may be anywhere: remembers which were touched. */
export function scatteredSums(size: number): Sums {
  const sums = new Float64Array(size);
  const isTouched = new Uint8Array(size);
  const touched = new Int32Array(size);
  let count = 0;
  const addAt = (index: number, value: number): void => {
    if (isTouched[index] === 0) {
      isTouched[index] = 1;
      touched[count++] = index;
    }
    sums[index] += value;
  };
  return {
    addAt,
    add({ index, value }, weight) {
      for (let i = 0; i < index.length; i++) addAt(index[i], weight * value[i]);
    },
    take() {
      if (count === 0) return none;
      // Loops: iterators would make most of the garbage of a search.
      const places = touched.subarray(0, count).sort();
      let kept = 0;
      for (let i = 0; i < count; i++) if (sums[places[i]] !== 0) kept++;
      const index = new Int32Array(kept);
      const value = new Float64Array(kept);
      for (let i = 0, at = 0; i < count; i++) {
        const p = places[i];
        if (sums[p] !== 0) {
          index[at] = p;
          value[at++] = sums[p];
        }
        sums[p] = isTouched[p] = 0;
      }
      count = 0;
      return { index, value };
    },
  };
}

/** The entries from `start` up to `stop`, which becomes index 0 up. */
export function between({ index, value }: SparseRow, start: number, stop: number): SparseRow {
  let first = 0;
  while (first < index.length && index[first] < start) first++;
  let last = first;
  while (last < index.length && index[last] < stop) last++;
  if (first === last) return none;
  const own = index.slice(first, last);
  for (let i = 0; i < own.length; i++) own[i] -= start;
  return { index: own, value: value.slice(first, last) };
}
