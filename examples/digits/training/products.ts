/** Matrix products on row-major float64 arrays; the whole cost of training lies here. */

/** [rows, inner] times the transpose of [columns, inner]: returns [rows, columns]. */
export function timesTransposed(a: Float64Array, b: Float64Array, rows: number, inner: number, columns: number) {
  const out = new Float64Array(rows * columns);
  for (let r = 0; r < rows; r++) {
    const start = r * inner;
    for (let c = 0; c < columns; c++) {
      const other = c * inner;
      // Two running sums, since one would wait for each addition before the next.
      let even = 0;
      let odd = 0;
      let k = 0;
      for (; k + 1 < inner; k += 2) {
        even += a[start + k] * b[other + k];
        odd += a[start + k + 1] * b[other + k + 1];
      }
      if (k < inner) even += a[start + k] * b[other + k];
      out[r * columns + c] = even + odd;
    }
  }
  return out;
}

/** [rows, inner] times [inner, columns]: returns [rows, columns]. Zeros on the left (closed ReLUs) cost nothing. */
export function times(a: Float64Array, b: Float64Array, rows: number, inner: number, columns: number) {
  const out = new Float64Array(rows * columns);
  for (let r = 0; r < rows; r++) {
    for (let k = 0; k < inner; k++) {
      const factor = a[r * inner + k];
      if (factor !== 0) addMultiple(out, r * columns, factor, b, k * columns, columns);
    }
  }
  return out;
}

/** Adds to `sum`, [columnsA, columnsB], the transpose of [rows, columnsA] times [rows, columnsB]. */
export function addTransposedTimes(
  sum: Float64Array,
  a: Float64Array,
  b: Float64Array,
  rows: number,
  columnsA: number,
  columnsB: number,
) {
  for (let r = 0; r < rows; r++) {
    for (let k = 0; k < columnsA; k++) {
      const factor = a[r * columnsA + k];
      if (factor !== 0) addMultiple(sum, k * columnsB, factor, b, r * columnsB, columnsB);
    }
  }
}

/** sum[at + i] += factor * values[from + i] for i < count. */
function addMultiple(sum: Float64Array, at: number, factor: number, values: Float64Array, from: number, count: number) {
  for (let i = 0; i < count; i++) sum[at + i] += factor * values[from + i];
}
