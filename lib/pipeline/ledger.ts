import { type BallEntry, entryAt, open, type RunState } from '../schedule/state';

/** One line of the ledger: a ball and its final verdict. */
export interface LedgerLine extends BallEntry {
  readonly input: number;
  /** Index of the radius. */
  readonly epsilon: number;
}

/**
 * The balls that have a verdict in `after` and had none in `before` (undefined: nothing was known). They are made as they are asked for,
 * and again each time: as objects, those of a million balls take more memory than both states.
 */
export function ledgerLines(before: RunState | undefined, after: RunState): Iterable<LedgerLine> {
  return { [Symbol.iterator]: () => settledBetween(before, after) };
}

function* settledBetween(before: RunState | undefined, after: RunState): Generator<LedgerLine> {
  for (let ball = 0; ball < after.status.length; ball++) {
    if (after.status[ball] === open) continue;
    if (before !== undefined && before.status[ball] === after.status[ball]) continue;
    yield { input: ball % after.inputs, epsilon: Math.floor(ball / after.inputs), ...entryAt(after, ball) };
  }
}
