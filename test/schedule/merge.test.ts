import { callSeconds } from '../../lib/cost/call';
import { beliefs } from '../../lib/schedule/bandit';
import { mergeRound } from '../../lib/schedule/merge';
import { packIds } from '../../lib/schedule/packed';
import type { MiniBatch } from '../../lib/schedule/records';
import { ContradictionError, entryAt, type RunState } from '../../lib/schedule/state';
import { encodeState } from '../../lib/schedule/state-file';
import { leftOpen, newRun, notRobust, resultOf, robust } from './simulation';

function batchOf(inputs: number[], part: Partial<MiniBatch> = {}): MiniBatch {
  return {
    run: 'test',
    round: 0,
    id: '0-0',
    kind: 'first',
    epsilon: 0,
    label: 0,
    inputs: packIds(inputs),
    size: inputs.length,
    arm: 4,
    attempt: 1,
    seconds: 40,
    ...part,
  };
}

/** How ball `ball` is tried next. */
function next(state: RunState, ball: number) {
  return { queue: state.queue[ball], attempts: state.attempts[ball], limit: state.limit[ball] };
}
const [rest, suspect, retry] = [1, 2, 3];

describe('merging a round', () => {
  const batch = batchOf([1, 3, 4, 7]);

  test('writes verdicts with their mini-batch, margin, witness and cost', () => {
    const result = resultOf(batch, (input) => (input === 4 ? notRobust(4, 2) : robust(input, 0.5)));
    const { state, outcomes } = mergeRound(newRun({ inputs: 8 }), [batch], [result], []);
    expect(entryAt(state, 3)).toEqual({
      status: 'robust',
      settledBy: 'bound',
      cpuSeconds: 0.5,
      margin: 0.5,
      batch: '0-0',
    });
    expect(entryAt(state, 4)).toEqual({
      status: 'not-robust',
      settledBy: 'attack',
      cpuSeconds: 2,
      predicted: 1,
      witness: 'proofs/4.npy',
      batch: '0-0',
    });
    expect(entryAt(state, 0).status).toBe('open');
    expect(outcomes).toEqual([{ id: '0-0', robust: 3, notRobust: 1, open: 0, cpuSeconds: 3.5, wallSeconds: 3.5 }]);
    expect(state).toMatchObject({ round: 1, cpuSeconds: 3.5 });
  });

  test('a failing mini-batch gives up its suspect; the others go on jointly', () => {
    const result = resultOf(batch, (input) => (input === 1 ? robust(1) : leftOpen(input, -input)));
    const { state } = mergeRound(newRun({ inputs: 8 }), [batch], [{ ...result, suspect: 3 }], []);
    expect(next(state, 3)).toEqual({ queue: suspect, attempts: 1, limit: 0 });
    expect(next(state, 4)).toEqual({ queue: rest, attempts: 1, limit: 0 });
    expect(next(state, 7)).toEqual({ queue: rest, attempts: 1, limit: 0 });
    expect(entryAt(state, 7)).toMatchObject({ status: 'open', reason: 'time', margin: -7 });
  });

  test.each([
    ['no suspect', {}],
    ['a settled one', { suspect: 1 }],
    ['a stranger', { suspect: 6 }],
  ])('with %s named, the member with the worst bound is the suspect', (_, named) => {
    const result = resultOf(batch, (input) => (input === 1 ? robust(1) : leftOpen(input, -Math.abs(input - 5))));
    const { state } = mergeRound(newRun({ inputs: 8 }), [batch], [{ ...result, ...named }], []);
    expect([3, 4, 7].map((ball) => state.queue[ball])).toEqual([suspect, rest, rest]);
  });

  test('a member without any bound is worse than one with a bad bound', () => {
    const result = resultOf(batch, (input) => (input === 4 ? leftOpen(4) : leftOpen(input, -100)));
    const { state } = mergeRound(newRun({ inputs: 8 }), [batch], [result], []);
    expect([1, 3, 4, 7].map((ball) => state.queue[ball])).toEqual([rest, rest, suspect, rest]);
  });

  test('the best bound is kept over attempts, and costs add up', () => {
    const first = mergeRound(newRun({ inputs: 8 }), [batch], [resultOf(batch, (i) => leftOpen(i, -1, 2))], []);
    const again = batchOf([1, 3], { round: 1, id: '1-0', attempt: 2, kind: 'rest' });
    const judged = resultOf(again, (input) => leftOpen(input, input === 1 ? -3 : -0.5, 3));
    const { state } = mergeRound(first.state, [again], [judged], []);
    expect([1, 3].map((ball) => entryAt(state, ball).margin)).toEqual([-1, -0.5]);
    expect(entryAt(state, 1)).toMatchObject({ cpuSeconds: 5, status: 'open' });
  });

  test('a ball out of attempts is unknown, with the reason of its last one', () => {
    const last = batchOf([1, 3], { attempt: 3, kind: 'rest' });
    const result = resultOf(last, (input) =>
      input === 1 ? robust(1) : { input, verdict: 'open', reason: 'numerics', cpuSeconds: 1 },
    );
    const { state } = mergeRound(newRun({ inputs: 8 }), [last], [result], []);
    expect(entryAt(state, 3)).toEqual({ status: 'unknown', reason: 'numerics', cpuSeconds: 1, batch: '0-0' });
    expect(entryAt(state, 1).status).toBe('robust');
  });

  test.each([
    ['a time-out', [{ id: '0-0', error: 'States.Timeout', cause: '' }], 'time'],
    ['a killed Lambda', [{ id: '0-0', error: 'Sandbox.Timedout', cause: 'Task timed out after 300 seconds' }], 'time'],
    ['lack of memory', [{ id: '0-0', error: 'Runtime.OutOfMemory', cause: 'signal: killed' }], 'memory'],
    ['a crash', [{ id: '0-0', error: 'Runtime.ExitError', cause: 'exit status 134' }], 'crash'],
    ['silence', [], 'crash'],
  ] as const)('after %s the members are tried again at half the size', (_, failures, reason) => {
    const large = batchOf([0, 1, 2, 3, 4, 5, 6]);
    const { state, outcomes } = mergeRound(newRun({ inputs: 8 }), [large], [], failures);
    expect(next(state, 6)).toEqual({ queue: retry, attempts: 1, limit: 3 });
    expect(next(state, 7)).toEqual({ queue: 0, attempts: 0, limit: 0 });
    expect(entryAt(state, 6)).toMatchObject({ status: 'open', reason });
    expect(outcomes[0]).toMatchObject({ open: 7, robust: 0, cpuSeconds: 40 });
    expect(outcomes[0].error).toContain(failures[0]?.error ?? 'no result');
  });

  test('a crash costs the time it ran, and never more than it was given', () => {
    const cost = (seconds: number): number => {
      const failure = { id: '0-0', error: 'Lambda.Unknown', cause: 'killed', seconds };
      const { state, outcomes } = mergeRound(newRun({ inputs: 8 }), [batchOf([1, 2])], [], [failure]);
      expect(outcomes[0].cpuSeconds).toBe(state.cpuSeconds);
      return state.cpuSeconds;
    };
    expect([cost(1.5), cost(41)]).toEqual([1.5, 40]);
  });

  test('the last attempt after a crash is alone, so that none pays for another', () => {
    const second = batchOf([0, 1, 2, 3, 4, 5, 6, 7], { attempt: 2, kind: 'retry' });
    const { state } = mergeRound(newRun({ inputs: 8 }), [second], [], []);
    expect(next(state, 0)).toEqual({ queue: retry, attempts: 2, limit: 1 });
  });

  test('a result beside a failure counts: the child was killed after it had written', () => {
    const failures = [{ id: '0-0', error: 'States.Timeout', cause: '' }];
    const { state, outcomes } = mergeRound(newRun({ inputs: 8 }), [batch], [resultOf(batch, robust)], failures);
    expect(outcomes[0]).toMatchObject({ robust: 4, open: 0 });
    expect(outcomes[0].error).toBeUndefined();
    expect(entryAt(state, 7).status).toBe('robust');
  });

  const good = resultOf(batch, robust);
  test.each([
    ['a missing member', { ...good, balls: good.balls.slice(1) }, /not the 4 members/],
    ['a member twice', { ...good, balls: [...good.balls, good.balls[0]] }, /not the 4 members/],
    ['a stranger', { ...good, balls: [...good.balls.slice(1), robust(2)] }, /not the 4 members/],
    ['a member twice for another', { ...good, balls: [...good.balls.slice(1), robust(3)] }, /not the 4 members/],
    ['another round', { ...good, round: 5 }, /round 5/],
    ['robust with margin 0', { ...good, balls: good.balls.map((b) => ({ ...b, margin: 0 })) }, /positive margin/],
    ['a robust ball without a number', { ...good, balls: good.balls.map((b) => ({ ...b, margin: NaN })) }, /margin/],
    ['a negative time', { ...good, cpuSeconds: -1 }, /negative time/],
  ])('a result with %s is refused as a crash', (_, bad, problem) => {
    const { state, outcomes } = mergeRound(newRun({ inputs: 8 }), [batch], [bad], []);
    expect(outcomes[0]).toMatchObject({ robust: 0, open: 4 });
    expect(outcomes[0].error).toMatch(problem);
    expect([1, 3, 4, 7].map((ball) => entryAt(state, ball).status)).toEqual(['open', 'open', 'open', 'open']);
    const saved = mergeRound(newRun({ inputs: 8 }), [batch], [bad, good], []);
    expect(saved.outcomes[0]).toMatchObject({ robust: 4, open: 0 });
  });

  test('duplicates, strays and the order of arrival change nothing', () => {
    const other = batchOf([0, 2], { id: '0-1', arm: 2 });
    const results = [resultOf(batch, robust), resultOf(other, (input) => leftOpen(input, -1))];
    const once = mergeRound(newRun({ inputs: 8 }), [batch, other], results, []);
    const stray = { ...results[0], id: '9-9' };
    const messy = [results[1], stray, results[0], results[1], results[0]];
    const twice = mergeRound(newRun({ inputs: 8 }), [batch, other], messy, []);
    expect(encodeState(twice.state)).toEqual(encodeState(once.state));
    expect(twice.outcomes).toEqual(once.outcomes);
    expect(twice.ignored).toEqual(['9-9']);
  });

  test('a verdict of the second of two results is taken', () => {
    const open = resultOf(batch, (input) => leftOpen(input));
    const { state } = mergeRound(newRun({ inputs: 8 }), [batch], [open, good], []);
    expect(entryAt(state, 7).status).toBe('robust');
  });

  test('results that contradict each other stop the run and leave the state as it was', () => {
    const state = newRun({ inputs: 8 });
    const before = encodeState(state);
    const lie = resultOf(batch, (input) => (input === 7 ? notRobust(7) : robust(input)));
    expect(() => mergeRound(state, [batch], [good, lie], [])).toThrow(ContradictionError);
    expect(encodeState(state)).toEqual(before);
  });

  test('merging the same round again settles, counts and teaches nothing anew', () => {
    const result = resultOf(batch, (input) => (input > 3 ? robust(input) : leftOpen(input)));
    const once = mergeRound(newRun({ inputs: 8 }), [batch], [result], []).state;
    const twice = mergeRound(once, [batch], [result], []).state;
    expect(encodeState({ ...twice, round: 1 })).toEqual(encodeState(once));
    const crashed = mergeRound(once, [batch], [], []).state;
    expect(encodeState({ ...crashed, round: 1 })).toEqual(encodeState(once));
  });

  test('the bandit learns drawn sizes only: first attempts and later ones apart, small ones pooled', () => {
    const start = newRun({ inputs: 200, epsilons: [0.5] });
    const singles = Array.from({ length: 150 }, (_, i) => batchOf([i], { id: `0-${i}`, arm: 1 }));
    const eight = batchOf([160, 161, 162, 163, 164, 165, 166, 167], { id: '0-150', arm: 8 });
    const undrawn = batchOf([170, 171], { id: '0-151', arm: 0, kind: 'retry' });
    const batches = [...singles, eight, undrawn];
    const { state } = mergeRound(
      start,
      batches,
      batches.map((one) => resultOf(one, (i) => robust(i, 0.5))),
      [],
    );
    const believed = beliefs(state.bandit, '0.5').filter((arm) => arm.pulls > 0);
    expect(believed.map(({ size, pulls }) => [size, pulls])).toEqual([
      [1, 2],
      [8, 1],
    ]);
    // A ball takes 0.5 s and its share of a call.
    for (const { mean, size } of believed) expect(mean).toBeCloseTo(-Math.log(0.5 + callSeconds / size), 1);
    expect(Object.keys(state.bandit.keys['0.5'].arms)).toEqual(['1', '8']);
    const later = batchOf([190, 191], { id: '1-0', round: 1, attempt: 2, kind: 'rest', arm: 2 });
    const after = mergeRound(state, [later], [resultOf(later, (i) => robust(i, 3))], []).state;
    expect(after.bandit.keys['0.5 later'].arms).toEqual({ 2: [{ balls: 2, settled: 2, cpuSeconds: 6 + callSeconds }] });
    expect(after.bandit.keys['0.5'].refinement).toEqual({ cpuSeconds: 6 + callSeconds, balls: 2 });
    // A third attempt is part of the cost of the balls that were counted at their second.
    const third = batchOf([190], { id: '2-0', round: 2, attempt: 3, kind: 'suspect', arm: 0 });
    const last = mergeRound(after, [third], [resultOf(third, (i) => robust(i, 4))], []).state;
    expect(last.bandit.keys['0.5'].refinement).toEqual({ cpuSeconds: 10 + 2 * callSeconds, balls: 2 });
  });

  test('a crash counts as its whole time without a verdict', () => {
    const { state } = mergeRound(newRun({ inputs: 8 }), [batch], [], []);
    expect(state.bandit.keys['0.01'].arms[4]).toEqual([{ balls: 4, settled: 0, cpuSeconds: 40 + callSeconds }]);
    expect(state.cpuSeconds).toBe(40);
  });
});

test('a search that the cap of the run ended is no attempt: the ball is open as before, and nothing is learned of it', () => {
  const start = newRun({ inputs: 4 });
  const batch = batchOf([0, 1, 2, 3]);
  const result = resultOf(batch, (input) =>
    input === 0 ? robust(input) : { input, verdict: 'open', reason: 'budget', margin: -1, cpuSeconds: 2 },
  );
  const { state } = mergeRound(start, [batch], [result], []);
  expect([0, 1, 2, 3].map((ball) => entryAt(state, ball).status)).toEqual(['robust', 'open', 'open', 'open']);
  expect([...state.attempts]).toEqual([1, 0, 0, 0]);
  expect([...state.queue]).toEqual([...start.queue]);
  expect(state.cpuSeconds).toBeCloseTo(6.1);
  expect(state.bandit).toEqual(start.bandit);
  const whole = mergeRound(start, [batch], [resultOf(batch, (input) => leftOpen(input))], []).state;
  expect(whole.bandit).not.toEqual(start.bandit);
});
