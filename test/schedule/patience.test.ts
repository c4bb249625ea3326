import { random } from '../../lib/random';
import { mergeRound } from '../../lib/schedule/merge';
import { patienceOf, withPatience } from '../../lib/schedule/patience';
import { planRound } from '../../lib/schedule/plan-round';
import type { MiniBatch } from '../../lib/schedule/records';
import { miniBatchSchema } from '../../lib/schedule/records';
import { type RunState, statuses } from '../../lib/schedule/state';
import { anyTrees, leftOpen, newRun, planOptions, resultOf, robust } from './simulation';

const inputs = 12_000;
const workers = 120;
const trees = anyTrees(inputs, 4);
const options = { ...planOptions, secondsPerBall: 20, workers };

/** Seconds of search that settle a ball which the first attempt leaves: most half a second, a tenth of them for ever. */
const needed = (input: number): number =>
  input % 10 === 0 ? Number.POSITIVE_INFINITY : 0.1 + 0.8 * random(input).uniform();

/** One in eight balls needs a search; the second attempt may search for 5 s, the third for 15 s, less where there is no patience. */
function resultsOf(batches: readonly MiniBatch[]) {
  return batches.map((batch) =>
    resultOf(batch, (input) => {
      if (random(input, 1).int(8) > 0) return robust(input, 0.01);
      if (batch.attempt === 1) return leftOpen(input, -1, 0.01);
      const limit = Math.min(batch.attempt === 2 ? 5 : 15, batch.patience ?? Number.POSITIVE_INFINITY);
      return needed(input) <= limit ? robust(input, needed(input)) : leftOpen(input, -1, limit);
    }),
  );
}

/** Wall seconds of all rounds with all workers at work, and the end. */
function runWith(plan: (state: RunState) => MiniBatch[]): { wall: number; cpu: number; state: RunState } {
  let state = newRun({ inputs });
  for (let wall = 0; ; ) {
    const batches = plan(state);
    if (batches.length === 0) return { wall, cpu: state.cpuSeconds, state };
    const results = resultsOf(batches);
    const free = new Float64Array(workers);
    for (const { wallSeconds } of results) {
      const next = free.indexOf(free.reduce((least, time) => Math.min(least, time)));
      free[next] += wallSeconds;
    }
    wall += free.reduce((most, time) => Math.max(most, time));
    state = mergeRound(state, batches, results, []).state;
  }
}

test('giving up early costs no verdict, and saves the time that would have settled nothing', () => {
  const patient = runWith((state) => planRound(state, trees, options).batches);
  const learned = runWith((state) => withPatience(planRound(state, trees, options), state).batches);
  expect(learned.state.status).toEqual(patient.state.status);
  expect(learned.cpu).toBeLessThan(0.93 * patient.cpu);
  expect(learned.wall).toBeLessThanOrEqual(patient.wall);
});

test('when few balls are left, none waits behind another while workers are idle', () => {
  const state = newRun({ inputs: 300 });
  for (let ball = 0; ball < 300; ball++) [state.queue[ball], state.attempts[ball]] = [1, 1];
  const largest = (count: number): number => {
    const { batches } = planRound(state, anyTrees(300, 1), { ...planOptions, workers: count });
    return batches.reduce((most, { size }) => Math.max(most, size), 0);
  };
  expect(largest(300)).toBe(1);
  expect(largest(100)).toBeLessThanOrEqual(3);
  expect(largest(2)).toBeGreaterThan(3);
});

describe('patience', () => {
  /** A state in which `times` settled balls were tried twice. */
  const settledIn = (times: readonly number[]): RunState => {
    const state = newRun({ inputs: 100 });
    for (const [ball, seconds] of times.entries()) {
      state.status[ball] = statuses.indexOf('robust');
      state.attempts[ball] = 2;
      state.cpu[ball] = seconds;
    }
    return state;
  };

  test('is half as long again as nine in ten of the settled took, once twenty are', () => {
    expect(patienceOf(settledIn(Array(19).fill(1)), 0)).toBeUndefined();
    expect(patienceOf(settledIn(Array.from({ length: 29 }, (_, i) => i + 1)), 0)).toBe(1.5 * 27);
  });

  test('limits middle attempts only: never the first, the last, or one after a crash', () => {
    const state = settledIn(Array(40).fill(1));
    const batch = { ...planRound(newRun({ inputs: 100 }), anyTrees(100, 1), planOptions).batches[0] };
    const limited = (part: Partial<MiniBatch>) =>
      withPatience({ batches: [{ ...batch, ...part }], long: false }, state).batches[0].patience;
    expect(limited({ attempt: 1 })).toBeUndefined();
    expect(limited({ attempt: 2, kind: 'rest' })).toBe(1.5);
    expect(limited({ attempt: 2, kind: 'suspect' })).toBe(1.5);
    expect(limited({ attempt: 2, kind: 'retry' })).toBeUndefined();
    expect(limited({ attempt: 3, kind: 'rest' })).toBeUndefined();
    expect(miniBatchSchema.safeParse({ ...batch, patience: 1.5 }).success).toBe(true);
  });
});
