/**
 * What full passes made of rough ones, learned as they go: of one network at about one radius, the part of a row's loss (between its value at the centre and its
 * bound) that a full pass leaves varies little from ball to ball on some networks (mnist_6_100 at 0.02: 0.61 with a standard deviation of 9 %) and much on others
 * (mnist-net_256x4 at 0.02: 0.33, within a factor of 1.8). Where little is left to hope for, a full pass would be wasted.
 *
 * A guess that decides cost, never what is proven: whoever gets no full pass keeps sound bounds and goes on to attack and search.
 */
export interface Prospects {
  /**
   * Whether a full pass may prove a row.
   *
   * @param radius largest one of the ball's inputs
   * @param lost what the rough pass loses of the row, in units of its value at the centre
   */
  mayProve(radius: number, lost: number): boolean;
  /** Remembers what both passes lost of the same row. */
  learn(radius: number, rough: number, full: number): void;
}

/**
 * The least part of a rough loss that a full pass left, of all balls that it proved: there were 6 with less than 0.36, and none with less than 0.33 (the images of
 * dense/outlook.ts).
 */
const leastPart = 0.35;

/** Rows to learn from before what was learned counts. */
const fewest = 16;
/**
 * Standard deviations below the mean of the part's logarithm that are still hoped for. Of 297 balls that full passes proved on mnist_6_100 at 0.01 to 0.03, none would have been left out, and
 * 102 of 205 that they did not prove; with 2 deviations none and 120, with 1.5 two and 134.
 */
const deviations = 2.5;

/** Radii within a quarter of an octave are alike. */
function kindOf(radius: number): number {
  return Math.round(4 * Math.log2(radius));
}

/** Mean and sum of squared differences of logarithms, by Welford's recurrence. */
interface Account {
  count: number;
  mean: number;
  squares: number;
}

export function createProspects(): Prospects {
  const accounts = new Map<number, Account>();
  return {
    mayProve(radius, lost) {
      if (leastPart * lost >= 1) return false;
      const account = accounts.get(kindOf(radius));
      if (account === undefined || account.count < fewest) return true;
      const deviation = Math.sqrt(account.squares / (account.count - 1));
      return Math.log(lost) + account.mean - deviations * deviation < 0;
    },
    learn(radius, rough, full) {
      const value = Math.log(full / rough);
      // Of a row that loses nothing, or of overflow, there is nothing to learn.
      if (!Number.isFinite(value)) return;
      const key = kindOf(radius);
      const account = accounts.get(key) ?? { count: 0, mean: 0, squares: 0 };
      accounts.set(key, account);
      account.count++;
      const difference = value - account.mean;
      account.mean += difference / account.count;
      account.squares += difference * (value - account.mean);
    },
  };
}
