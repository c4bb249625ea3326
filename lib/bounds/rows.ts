/** Rows of one call: as many of each of some balls in a row. */
export interface Run {
  /** The first of the balls, and how many. */
  readonly first: number;
  readonly balls: number;
  /** The first row of each ball's list, and how many. */
  readonly from: number;
  readonly rows: number;
}

/** Balls that share a call have at least this part of its rows as their own; the rest is padding. */
const leastFilled = 0.75;

/** A call may have so many times the rows that it should: one of a few more costs less than two. */
const mostFilled = 1.5;

/**
 * Calls for lists of rows of balls.
 *
 * @param counts rows of each ball
 * @param perCall rows that a call should have; at most half as many more
 */
export function runsOf(counts: ArrayLike<number>, perCall: number): Run[] {
  const runs: Run[] = [];
  for (let first = 0; first < counts.length; ) {
    let most = counts[first];
    if (most > mostFilled * perCall) {
      const part = Math.ceil(most / Math.round(most / perCall));
      for (let from = 0; from < most; from += part) {
        runs.push({ first, balls: 1, from, rows: Math.min(part, most - from) });
      }
    }
    let end = first + 1;
    if (most > 0 && most <= mostFilled * perCall) {
      let sum = most;
      for (; end < counts.length && counts[end] > 0; end++) {
        const wider = Math.max(most, counts[end]);
        const rows = (end + 1 - first) * wider;
        if (rows > mostFilled * perCall || sum + counts[end] < leastFilled * rows) break;
        most = wider;
        sum += counts[end];
      }
      runs.push({ first, balls: end - first, from: 0, rows: most });
    }
    first = end;
  }
  return runs;
}
