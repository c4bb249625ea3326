import { emptyPosterior, recordPulls } from '../../lib/schedule/bandit';
import { firstTries } from '../../lib/schedule/first-tries';
import { unpackIds } from '../../lib/schedule/packed';
import { mostRounds, planRound, type RoundPlan } from '../../lib/schedule/plan-round';
import { type MiniBatch, memberLabels, miniBatchSchema } from '../../lib/schedule/records';
import { closeOpen, queues, type RunState } from '../../lib/schedule/state';
import { anyTree, anyTrees, leftOpen, newRun, planOptions, resultOf, robust, simulate } from './simulation';

/** The state with every ball as after an attempt. */
function tried(state: RunState, queue: (typeof queues)[number], attempts: number, limit = 0): RunState {
  state.queue.fill(queues.indexOf(queue));
  state.attempts.fill(attempts);
  state.limit.fill(limit);
  return state;
}

function ballCount(batches: readonly MiniBatch[]): number {
  return batches.reduce((sum, batch) => sum + batch.size, 0);
}

describe('how many balls a round tries for the first time', () => {
  test.each([
    ['a handful: all', { total: 40, left: 40, workers: 2, informed: false }, 40],
    ['a hundred: a third, then the rest', { total: 100, left: 100, workers: 2, informed: false }, 32],
    ['a thousand: 64 a worker', { total: 1000, left: 1000, workers: 2, informed: false }, 128],
    ['a thousand on many workers: a quarter', { total: 1000, left: 1000, workers: 100, informed: false }, 250],
    ['a million: 5 %', { total: 1e6, left: 1e6, workers: 100, informed: false }, 50_000],
    ['a million, second round: four times that', { total: 1e6, left: 950_000, workers: 100, informed: false }, 200_000],
    ['a million, third round: the rest', { total: 1e6, left: 750_000, workers: 100, informed: false }, 750_000],
    ['a million, with experience: no sample', { total: 1e6, left: 1e6, workers: 100, informed: true }, 200_000],
  ])('%s', (_, balls, expected) => expect(firstTries(balls)).toBe(expected));

  test('three rounds at most, whatever the numbers', () => {
    for (const total of [1, 31, 33, 77, 150, 999, 12_345, 1_000_003]) {
      for (const workers of [1, 7, 1000]) {
        let left = total;
        let rounds = 0;
        for (; left > 0; rounds++) left -= Math.min(left, firstTries({ total, left, workers, informed: false }));
        expect(rounds).toBeLessThanOrEqual(3);
      }
    }
  });
});

describe('planning a round', () => {
  test('few new balls of each label go together, each once and named by its own label; labels of 256 stay apart', () => {
    const size = (length: number) => Array(8).fill({ size: 256, balls: 256, settled: length, cpuSeconds: 1 });
    const bandit = recordPulls(emptyPosterior, '0.1', size(256));
    const few = anyTrees(200, 10);
    const { batches } = planRound({ ...newRun({ inputs: 200, epsilons: [0.1] }), bandit }, few, planOptions);
    const labelOf = new Map([...few].flatMap(([label, { order }]) => Array.from(order, (input) => [input, label])));
    const seen = batches.flatMap((batch) => {
      const inputs = unpackIds(batch.inputs);
      expect(memberLabels(batch)).toEqual(Array.from(inputs, (input) => labelOf.get(input)));
      return [...inputs];
    });
    expect(seen.sort((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, i) => i));
    expect(Math.max(...batches.map((batch) => batch.size))).toBeGreaterThan(20);
    const many = planRound({ ...newRun({ inputs: 600, epsilons: [0.1] }), bandit }, anyTrees(600, 2), planOptions);
    expect(many.batches.every(({ label }) => typeof label === 'number')).toBe(true);
    const single = planRound(newRun({ inputs: 200, epsilons: [0.1] }), few, { ...planOptions, mode: 'single' });
    expect(single.batches.every((batch) => batch.size === 1 && typeof batch.label === 'number')).toBe(true);
  });

  test('is one valid line per mini-batch, and the same for the same seed only', () => {
    const trees = anyTrees(500, 3);
    const state = newRun({ inputs: 500, epsilons: [0.1, 0.2] });
    const { batches } = planRound(state, trees, planOptions);
    for (const batch of batches) {
      expect(miniBatchSchema.parse(JSON.parse(JSON.stringify(batch)))).toEqual(batch);
      expect(batch).toMatchObject({ round: 0, run: 'test', attempt: 1, kind: 'first' });
      expect(batch.size).toBeLessThanOrEqual(batch.arm);
      expect(batch.seconds).toBe(Math.min(4 * batch.size, 280));
    }
    expect(new Set(batches.map((batch) => batch.id)).size).toBe(batches.length);
    expect(planRound(state, trees, planOptions).batches).toEqual(batches);
    expect(planRound(state, trees, { ...planOptions, seed: 2 }).batches).not.toEqual(batches);
    const sizes = (plan: RoundPlan): number[] => plan.batches.map((batch) => batch.arm);
    expect(sizes(planRound({ ...state, round: 1 }, trees, planOptions))).not.toEqual(sizes({ batches, long: false }));
  });

  test('the first round is a sample that tries many sizes on several labels', () => {
    const { batches } = planRound(newRun({ inputs: 20_000 }), anyTrees(20_000, 10), planOptions);
    expect(ballCount(batches)).toBe(1000);
    expect(new Set(batches.map((batch) => batch.arm)).size).toBeGreaterThanOrEqual(6);
    expect(new Set(batches.map((batch) => batch.label)).size).toBeGreaterThanOrEqual(3);
  });

  test('mode single: every ball alone, all at once, without the bandit', () => {
    const { batches } = planRound(newRun({ inputs: 500 }), anyTrees(500, 3), { ...planOptions, mode: 'single' });
    expect(batches.length).toBe(500);
    expect(batches.every((batch) => batch.size === 1 && batch.arm === 0)).toBe(true);
  });

  test('experience decides the sizes', () => {
    const pulls = Array.from({ length: 20 }, (_, i) => ({
      size: 2 ** (i % 9),
      balls: 256,
      settled: 256,
      cpuSeconds: i % 9 === 4 ? 1 : 50,
    }));
    const state = newRun({ inputs: 20_000 });
    state.bandit = recordPulls(state.bandit, '0.01', pulls);
    const { batches } = planRound(state, anyTrees(20_000, 10), planOptions);
    expect(ballCount(batches)).toBe(4000);
    const of16 = batches.filter((batch) => batch.arm === 16);
    expect(ballCount(of16)).toBeGreaterThan(2000);
  });

  test('suspects go alone', () => {
    const state = tried(newRun({ inputs: 9 }), 'suspect', 1);
    const { batches } = planRound(state, anyTrees(9, 2), planOptions);
    expect(batches.length).toBe(9);
    for (const batch of batches) expect(batch).toMatchObject({ kind: 'suspect', size: 1, arm: 0, attempt: 2 });
  });

  test('what remained goes with its like of all labels, each ball under its own', () => {
    const state = tried(newRun({ inputs: 90 }), 'rest', 1);
    const plan = (mode: 'batch' | 'single') => planRound(state, anyTrees(90, 3), { ...planOptions, mode }).batches;
    const batches = plan('batch');
    expect(ballCount(batches)).toBe(90);
    expect(batches.some(({ label }) => typeof label !== 'number')).toBe(true);
    for (const batch of batches) {
      expect([...unpackIds(batch.inputs)].map((input) => input % 3)).toEqual(memberLabels(batch));
      expect(batch).toMatchObject({ kind: 'rest', attempt: 2 });
    }
    expect(plan('single').map(({ size }) => size)).toEqual(new Array(90).fill(1));
    expect(plan('single').every(({ label }) => typeof label === 'number')).toBe(true);
  });

  test('labels that are more or fewer than the members are refused', () => {
    expect(memberLabels({ id: '0-0', label: 3, size: 2 })).toEqual([3, 3]);
    expect(() => memberLabels({ id: '0-0', label: [3, 1], size: 3 })).toThrow(
      'mini-batch 0-0 has 2 labels for 3 members',
    );
  });

  test('what crashed goes in mini-batches of at most its limit', () => {
    const state = tried(newRun({ inputs: 100 }), 'retry', 1, 8);
    const { batches } = planRound(state, anyTrees(100, 1), planOptions);
    expect(ballCount(batches)).toBe(100);
    expect(batches.every((batch) => batch.size > 4 && batch.size <= 8)).toBe(true);
    for (const batch of batches) expect(batch).toMatchObject({ kind: 'retry', arm: 0, attempt: 2 });
  });

  test('balls of different limits and attempts are not mixed', () => {
    const state = tried(newRun({ inputs: 90 }), 'retry', 1, 2);
    state.limit.fill(16, 30, 60);
    state.attempts.fill(2, 60, 90);
    const { batches } = planRound(state, anyTrees(90, 1), planOptions);
    for (const batch of batches) {
      const members = [...unpackIds(batch.inputs)];
      expect(new Set(members.map((input) => Math.floor(input / 30))).size).toBe(1);
      expect(batch.size).toBeLessThanOrEqual(members[0] >= 30 && members[0] < 60 ? 16 : 2);
      expect(batch.attempt).toBe(members[0] >= 60 ? 3 : 2);
    }
    expect(Math.max(...batches.map((batch) => batch.size))).toBeGreaterThan(8);
  });

  test('what remained goes jointly, at a size that leaves every ball its seconds', () => {
    const state = tried(newRun({ inputs: 600 }), 'rest', 2);
    const plan = planRound(state, anyTrees(600, 1), { ...planOptions, secondsPerBall: 40 });
    expect(ballCount(plan.batches)).toBe(600);
    expect(Math.max(...plan.batches.map((batch) => batch.size))).toBeLessThanOrEqual(7);
    expect(plan.batches.some((batch) => batch.size > 1)).toBe(true);
    for (const batch of plan.batches) {
      expect(batch).toMatchObject({ kind: 'rest', attempt: 3, seconds: Math.min(4 * 40 * batch.size, 280) });
    }
    expect(plan.long).toBe(false);
  });

  test('a round is long only when a ball may need it: no round waits longer for jointly refined ones', () => {
    const trees = anyTrees(300, 1);
    const long = (state: RunState, secondsPerBall: number): boolean =>
      planRound(state, trees, { ...planOptions, secondsPerBall }).long;
    expect(long(newRun({ inputs: 300 }), 100)).toBe(false);
    expect(long(newRun({ inputs: 300 }), 281)).toBe(true);
    expect(long(tried(newRun({ inputs: 300 }), 'rest', 1), 100)).toBe(false);
    expect(long(tried(newRun({ inputs: 300 }), 'suspect', 1), 281)).toBe(true);
    const mixed = newRun({ inputs: 300 });
    for (let ball = 0; ball < 100; ball++) [mixed.queue[ball], mixed.attempts[ball]] = [1, 1];
    expect(long(mixed, 100)).toBe(false);
  });

  test('the mini-batches that may take longest come first', () => {
    const sizes = planRound(newRun({ inputs: 900 }), anyTrees(900, 2), planOptions).batches.map((batch) => batch.size);
    expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
  });

  test('nothing is planned exactly when nothing is open', () => {
    const state = newRun({ inputs: 10, misclassified: new Uint8Array(10).fill(1) });
    expect(planRound(state, anyTrees(10, 1), planOptions)).toEqual({ batches: [], long: false });
    const closed = closeOpen(newRun({ inputs: 10 }), 'budget');
    expect(planRound(closed, anyTrees(10, 1), planOptions).batches).toEqual([]);
  });

  test('an open ball that is in no tree is an error, not a lost ball', () => {
    expect(() => planRound(newRun({ inputs: 11 }), anyTrees(10, 1), planOptions)).toThrow(/11 balls are open/);
  });
});

describe('rounds in a row', () => {
  test('sizes learned from the sample carry most balls', () => {
    // 0.2 s a call and 10 ms a ball up to 32, growing beyond: 32 is the best size.
    const seconds = (size: number): number => 0.2 + 0.01 * size * Math.max(1, size / 32);
    const rounds = simulate(
      newRun({ inputs: 30_000 }),
      anyTrees(30_000, 5),
      planOptions,
      (batches) => ({
        results: batches.map((batch) => ({
          ...resultOf(batch, (input) => robust(input, 0)),
          cpuSeconds: seconds(batch.size),
        })),
        failures: [],
      }),
      mostRounds(3),
    );
    expect(rounds.length).toBe(3);
    const spent = rounds.at(-1)!.merged.state.cpuSeconds;
    expect(spent).toBeLessThan(1.35 * (30_000 / 32) * seconds(32));
  });

  test('balls that resist are given up after their attempts, in bounded rounds', () => {
    const work = (batches: MiniBatch[]) => ({
      results: batches.map((batch) => resultOf(batch, (input) => leftOpen(input, -1))),
      failures: [],
    });
    const rounds = simulate(newRun({ inputs: 5000 }), anyTrees(5000, 2), planOptions, work, mostRounds(3));
    expect(rounds.length).toBe(mostRounds(3));
    const end = rounds.at(-1)!.merged.state;
    expect(end.attempts.every((attempts) => attempts === 3)).toBe(true);
  });

  test('a plan of scattered members of a million stays below a kilobyte a line', () => {
    const inputs = 1_000_000;
    const misclassified = new Uint8Array(inputs).fill(1);
    const open = Array.from({ length: 6000 }, (_, i) => (i * 7919 * 61) % inputs);
    for (const input of open) misclassified[input] = 0;
    const pulls = Array.from({ length: 30 }, () => ({ size: 256, balls: 256, settled: 256, cpuSeconds: 1 }));
    const slow = Array.from({ length: 8 }, (_, arm) => ({ ...pulls[0], size: 2 ** arm, cpuSeconds: 100 }));
    const bandit = recordPulls(emptyPosterior, '0.01', [...pulls, ...slow]);
    const state = newRun({ inputs, misclassified, bandit });
    const { batches } = planRound(state, new Map([[3, anyTree(open, 1)]]), planOptions);
    const lines = batches.map((batch) => JSON.stringify(batch).length);
    expect(Math.max(...batches.map((batch) => batch.size))).toBeGreaterThan(200);
    expect(Math.max(...lines)).toBeLessThan(1000);
  });
});
