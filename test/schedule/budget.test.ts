import { type Rates, withinAllowance } from '../../lib/schedule/budget';
import { mergeRound } from '../../lib/schedule/merge';
import { planRound } from '../../lib/schedule/plan-round';
import type { MiniBatch } from '../../lib/schedule/records';
import { anyTrees, leftOpen, newRun, planOptions, resultOf, robust } from './simulation';

const rates: Rates = { usdPerSecond: 1, usdPerBall: 0, workers: 4 };
const inputs = 4000;
const trees = anyTrees(inputs, 4);

/** Easy balls take 0.1 s; every tenth is left open at first and takes a second later. */
const resultsOf = (batches: readonly MiniBatch[]) =>
  batches.map((batch) =>
    resultOf(batch, (i) => {
      if (i % 10 > 0) return robust(i, 0.1);
      return batch.attempt === 1 ? leftOpen(i, -1, 0.1) : robust(i, 1);
    }),
  );

/** Runs under a cap of dollars from a state on. */
function runUnder(cap: number, from = newRun({ inputs })) {
  let state = from;
  for (let rounds = 0; ; rounds++) {
    const left = { usd: cap - state.cpuSeconds, seconds: Number.POSITIVE_INFINITY };
    const { batches } = withinAllowance(planRound(state, trees, planOptions), state, 1, left, rates);
    if (batches.length === 0) return { state, rounds };
    state = mergeRound(state, batches, resultsOf(batches), []).state;
  }
}

const openBalls = (status: Uint8Array) => status.reduce((sum, value) => sum + (value === 0 ? 1 : 0), 0);

test('a run under a cap spends about the cap, in a handful of rounds, and leaves the rest open', () => {
  for (const cap of [20, 100, 400]) {
    const { state, rounds } = runUnder(cap);
    expect(state.cpuSeconds).toBeGreaterThan(0.85 * cap);
    expect(state.cpuSeconds).toBeLessThan(1.1 * cap);
    expect(openBalls(state.status)).toBeGreaterThan(0);
    expect(rounds).toBeLessThan(30);
  }
});

test('with a larger cap it goes on from there, and settles the same as without a cap', () => {
  const stopped = runUnder(100).state;
  const { state } = runUnder(1e6, stopped);
  expect(openBalls(state.status)).toBe(0);
  const free = runUnder(Number.POSITIVE_INFINITY).state;
  expect(state.status).toEqual(free.status);
});

test('the cheapest balls come first: refinement waits when money is short', () => {
  const sampled = planRound(newRun({ inputs }), trees, planOptions).batches;
  const state = mergeRound(newRun({ inputs }), sampled, resultsOf(sampled), []).state;
  const plan = planRound(state, trees, planOptions);
  expect(plan.batches.some(({ kind }) => kind !== 'first')).toBe(true);
  const left = { usd: 10, seconds: Number.POSITIVE_INFINITY };
  const cut = withinAllowance(plan, state, 1, left, rates).batches;
  expect(cut.length).toBeGreaterThan(0);
  expect(cut.every(({ kind }) => kind === 'first')).toBe(true);
});

test('minutes count with the workers that share them; nothing fits into none', () => {
  const state = newRun({ inputs });
  const plan = planRound(state, trees, planOptions);
  const fitting = (seconds: number, workers: number) =>
    withinAllowance(plan, state, 1, { usd: Number.POSITIVE_INFINITY, seconds }, { ...rates, workers }).batches.length;
  expect(fitting(0, 4)).toBe(0);
  expect(fitting(-1, 4)).toBe(0);
  expect(fitting(20, 4)).toBeGreaterThan(fitting(20, 1));
  expect(fitting(1e9, 1)).toBe(plan.batches.length);
});
