import { gzipSync } from 'node:zlib';
import { BadInputError } from '../../lib/errors';
import { recordPulls } from '../../lib/schedule/bandit';
import { ballAt, ContradictionError, closeOpen, copyState, entryAt, settle } from '../../lib/schedule/state';
import { decodeState, encodeState } from '../../lib/schedule/state-file';
import { summarise } from '../../lib/schedule/summary';
import { newRun } from './simulation';

const batch = { round: 2, number: 14 };
const robust = { verdict: 'robust', settledBy: 'bound', margin: 0.25, batch } as const;
const refuted = { verdict: 'not-robust', settledBy: 'attack', predicted: 7, witness: 'w/1.npy', batch } as const;

describe('the state of a run', () => {
  test('misclassified inputs are settled at once, at every radius', () => {
    const state = newRun({
      inputs: 3,
      epsilons: [0.1, 0.2],
      misclassified: Uint8Array.of(0, 1, 0),
      predicted: [0, 5, 0],
    });
    for (const epsilon of [0, 1]) {
      expect(entryAt(state, ballAt(state, 1, epsilon))).toEqual({
        status: 'misclassified',
        settledBy: 'prediction',
        cpuSeconds: 0,
        predicted: 5,
      });
    }
    expect(entryAt(state, 0)).toEqual({ status: 'open', cpuSeconds: 0 });
    expect(summarise(state)).toMatchObject({ balls: 6, settled: 2, open: 4, velocity: 0 });
  });

  test('a verdict is written once; the same again changes nothing', () => {
    const state = newRun({ inputs: 2 });
    expect(settle(state, 1, robust)).toBe(true);
    const entry = entryAt(state, 1);
    expect(entry).toEqual({ status: 'robust', settledBy: 'bound', cpuSeconds: 0, margin: 0.25, batch: '2-14' });
    expect(settle(state, 1, { ...robust, margin: 9, settledBy: 'lemma', batch: { round: 3, number: 0 } })).toBe(false);
    expect(entryAt(state, 1)).toEqual(entry);
    expect(settle(state, 0, refuted)).toBe(true);
    expect(entryAt(state, 0)).toMatchObject({ status: 'not-robust', predicted: 7, witness: 'w/1.npy' });
  });

  test.each([
    ['robust, then not-robust', robust, refuted],
    ['not-robust, then robust', refuted, robust],
    ['robust, then misclassified', robust, { verdict: 'misclassified', predicted: 1 } as const],
  ])('%s is a contradiction and says which ball and who claims it', (_, first, second) => {
    const state = newRun({ inputs: 4, epsilons: [0.1, 0.2] });
    const ball = ballAt(state, 3, 1);
    settle(state, ball, first);
    const before = encodeState(state);
    expect(() => settle(state, ball, second)).toThrow(ContradictionError);
    expect(() => settle(state, ball, second)).toThrow(/input 3 at radius 1 .*2-14/);
    expect(encodeState(state)).toEqual(before);
  });

  test('unknown never replaces a proof, and a late proof replaces unknown', () => {
    const state = newRun({ inputs: 2 });
    settle(state, 0, robust);
    expect(settle(state, 0, { verdict: 'unknown', reason: 'time' })).toBe(false);
    expect(entryAt(state, 0).status).toBe('robust');
    settle(state, 1, { verdict: 'unknown', reason: 'memory' });
    expect(entryAt(state, 1)).toEqual({ status: 'unknown', reason: 'memory', cpuSeconds: 0 });
    settle(state, 1, refuted);
    expect(entryAt(state, 1)).toMatchObject({ status: 'not-robust' });
    expect(entryAt(state, 1).reason).toBeUndefined();
  });

  test('closing a run makes every open ball unknown, and leaves the given state alone', () => {
    const state = newRun({ inputs: 3 });
    settle(state, 0, robust);
    const closed = closeOpen(state, 'budget');
    expect(summarise(closed).radii[0]).toMatchObject({ robust: 1, unknown: 2, open: 0 });
    expect(entryAt(closed, 2).reason).toBe('budget');
    expect(summarise(state).open).toBe(2);
  });

  test('a copy shares nothing', () => {
    const state = newRun({ inputs: 2 });
    const copy = copyState(state);
    settle(copy, 0, refuted);
    copy.cpu[1] = 4;
    expect(entryAt(state, 0)).toEqual({ status: 'open', cpuSeconds: 0 });
    expect(state.cpu[1]).toBe(0);
    expect(state.settlers).toEqual(['prediction']);
    expect(state.witnesses.size).toBe(0);
  });

  test('arguments that do not fit are refused', () => {
    expect(() => newRun({ inputs: 0 })).toThrow(RangeError);
    expect(() => newRun({ inputs: 2, epsilons: [] })).toThrow(RangeError);
    expect(() => newRun({ inputs: 2, misclassified: new Uint8Array(3) })).toThrow(/3 flags/);
    expect(() => newRun({ inputs: 2, maxAttempts: 0 })).toThrow(/maxAttempts/);
    const state = newRun({ inputs: 2 });
    expect(() => ballAt(state, 2, 0)).toThrow(/no ball of input 2/);
    expect(() => ballAt(state, 0, 1)).toThrow(/radius 1/);
  });
});

describe('the snapshot', () => {
  const filled = () => {
    const state = newRun({ inputs: 5, epsilons: [0.01, 8 / 255], misclassified: Uint8Array.of(0, 0, 0, 0, 1) });
    settle(state, 1, robust);
    settle(state, 7, refuted);
    settle(state, 2, { ...refuted, witness: 'w/"ü\n.npy' });
    settle(state, 8, { verdict: 'unknown', reason: 'crash' });
    state.attempts[3] = 2;
    state.queue[3] = 3;
    state.limit[3] = 128;
    state.cpu[3] = 1.5;
    state.margin[3] = -0.125;
    state.round = 4;
    state.cpuSeconds = 17.25;
    state.bandit = recordPulls(state.bandit, '0.01', [{ size: 8, balls: 8, settled: 7, cpuSeconds: 1 }]);
    return state;
  };

  test('restores the state', () => {
    const state = filled();
    const restored = decodeState(encodeState(state));
    expect({ ...restored, witnesses: [...restored.witnesses].sort() }).toEqual({
      ...state,
      witnesses: [...state.witnesses].sort(),
    });
    settle(restored, 0, robust);
    expect(entryAt(restored, 0).batch).toBe('2-14');
  });

  test('takes a few bytes a ball', () => {
    const state = newRun({ inputs: 50_000 });
    for (let ball = 0; ball < 50_000; ball += 2) settle(state, ball, { ...robust, margin: Math.sqrt(ball) });
    expect(encodeState(state).length).toBeLessThan(12 * 50_000);
  });

  test.each([
    ['empty', () => new Uint8Array(0)],
    ['not compressed', () => new TextEncoder().encode('BVST and so on')],
    ['cut', () => encodeState(filled()).slice(0, -9)],
    ['of another kind', () => gzipSync('{"version":1}')],
    ['with a broken header', () => gzipSync(Buffer.from('BVST\u0008\0\0\0{"a": 1}', 'latin1'))],
  ])('that is %s is refused', (_, bytes) => {
    expect(() => decodeState(bytes())).toThrow(BadInputError);
  });
});
