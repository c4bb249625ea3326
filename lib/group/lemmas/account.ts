/** CPU-seconds of this process so far. */
export function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** Whether proving balls one by one at a deep layer has paid so far: what it took against the bounds that it saved. */
export interface Account {
  /** @param secondsPerBall what a ball that stays costs from the layer to the end; without it, everything pays */
  assume(secondsPerBall: number): void;
  /** @param seconds CPU-seconds that an attempt took @param balls settled by it */
  record(seconds: number, balls: number): void;
  pays(): boolean;
}

/** Loss in CPU-seconds before it is given up; every so many times it is tried again all the same, since radii differ. */
const patience = 0.01;
const retryEvery = 16;
/** Share of the past that counts after each record, so that what pays now counts more. */
const memory = 0.9;

export function createAccount(): Account {
  let spent = 0;
  let settled = 0;
  let refused = 0;
  let saved = Number.POSITIVE_INFINITY;
  return {
    assume(secondsPerBall) {
      saved = secondsPerBall;
    },
    record(seconds, balls) {
      spent = memory * spent + seconds;
      settled = memory * settled + balls;
    },
    pays() {
      if (saved === Number.POSITIVE_INFINITY || spent <= settled * saved + patience) return true;
      return ++refused % retryEvery === 0;
    },
  };
}
