import { above, below } from './rounding';

/** Bounds of neurons. */
export interface Sides {
  readonly lower: Float32Array;
  readonly upper: Float32Array;
}

/**
 * Keeps what a row has proven of neuron `i`, where it is better: value >= proven (`side` 1), or -value >= proven (-1). A row that is not finite says
 * nothing: `above` and `below` make NaN of infinities, and comparisons with NaN are false. Float32 sums may overflow to +Infinity with all
 * magnitudes below its largest number (docs/soundness.md, "Windows").
 */
export function keepRowBound({ lower, upper }: Sides, i: number, side: 1 | -1, proven: number): void {
  if (side === 1) {
    const least = below(proven);
    if (least > lower[i]) lower[i] = least;
  } else {
    const most = above(-proven);
    if (most < upper[i]) upper[i] = most;
  }
}
