import type { BatchResult, MiniBatch } from '../schedule/records';

/** A mini-batch of a sample's run, and its result where it has one. */
export interface SampledBatch {
  readonly batch: Pick<MiniBatch, 'epsilon' | 'attempt' | 'size' | 'seconds'>;
  /** Indices into the data set. */
  readonly inputs: readonly number[];
  readonly result?: Pick<BatchResult, 'cpuSeconds' | 'wallSeconds'> & { readonly balls: BatchResult['balls'] };
}

/** One attempt at one ball. */
export interface Attempt {
  readonly verdict: 'robust' | 'not-robust' | 'open';
  /** Its part of the mini-batch's CPU-seconds. */
  readonly seconds: number;
}

/** What the sample showed of an input: by radius, the attempts at its ball. */
export type Observed = ReadonlyMap<number, readonly (readonly Attempt[])[]>;

/** Adds up a sample's mini-batches by input. What crashed is an attempt that used all its seconds and left the ball open. */
export function observe(batches: readonly SampledBatch[], radii: number): Observed {
  const observed = new Map<number, Attempt[][]>();
  const ordered = [...batches].sort((a, b) => a.batch.attempt - b.batch.attempt);
  for (const { batch, inputs, result } of ordered) {
    const balls = new Map(result?.balls.map((ball) => [ball.input, ball]));
    for (const input of inputs) {
      const attempts = observed.get(input) ?? Array.from({ length: radii }, () => []);
      observed.set(input, attempts);
      const ball = balls.get(input);
      attempts[batch.epsilon].push(
        ball === undefined
          ? { verdict: 'open', seconds: batch.seconds / batch.size }
          : { verdict: ball.verdict, seconds: ball.cpuSeconds },
      );
    }
  }
  return observed;
}

/** CPU-seconds of an input over all radii and attempts. */
export function secondsOf(attempts: readonly (readonly Attempt[])[]): number {
  return attempts.flat().reduce((sum, { seconds }) => sum + seconds, 0);
}

/** What the time of a first attempt depends on. */
export interface FirstAttempts {
  /** CPU-seconds of a mini-batch, whatever its size, of each member, and of each member that the bound left. */
  readonly perCall: number;
  readonly perBall: number;
  readonly perDoubtful: number;
  /** Wall seconds for a CPU-second, over all mini-batches. */
  readonly wallPerCpu: number;
}

/**
 * Fits the CPU-seconds of first attempts by least squares: a sample's mini-batches are smaller than those of the whole run, so what is paid
 * by mini-batch must be told from what is paid by ball. Coefficients below 0 are set to 0, and the whole is scaled to what was
 * measured.
 */
export function fitFirstAttempts(batches: readonly SampledBatch[]): FirstAttempts {
  const rows = batches.flatMap(({ batch, result }) => {
    if (batch.attempt > 1 || result === undefined) return [];
    const doubtful = result.balls.filter((ball) => ball.verdict !== 'robust').length;
    return [{ x: [1, batch.size, doubtful], y: result.cpuSeconds }];
  });
  const measured = rows.reduce((sum, { y }) => sum + y, 0);
  const solved = leastSquares(rows).map((value) => Math.max(0, value));
  const fitted = rows.reduce((sum, { x }) => sum + x.reduce((total, value, k) => total + value * solved[k], 0), 0);
  const scale = fitted > 0 ? measured / fitted : 0;
  const results = batches.flatMap(({ result }) => (result === undefined ? [] : [result]));
  const cpu = results.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
  const wall = results.reduce((sum, { wallSeconds }) => sum + wallSeconds, 0);
  const [perCall, perBall, perDoubtful] = solved.map((value) => value * scale);
  return { perCall, perBall, perDoubtful, wallPerCpu: cpu > 0 ? wall / cpu : 1 };
}

/** Coefficients of three regressors by the normal equations, with a little ridge so that equal columns share. */
function leastSquares(rows: readonly { readonly x: readonly number[]; readonly y: number }[]): number[] {
  const matrix = [0, 1, 2].map((i) => {
    const products = [0, 1, 2].map((j) => rows.reduce((sum, { x }) => sum + x[i] * x[j], 0));
    products[i] += 1e-9 * (1 + products[i]);
    return [...products, rows.reduce((sum, { x, y }) => sum + x[i] * y, 0)];
  });
  for (let i = 0; i < 3; i++) {
    for (let row = 0; row < 3; row++) {
      if (row === i) continue;
      const factor = matrix[row][i] / matrix[i][i];
      for (let k = i; k < 4; k++) matrix[row][k] -= factor * matrix[i][k];
    }
  }
  return matrix.map((row, i) => row[3] / row[i]);
}
