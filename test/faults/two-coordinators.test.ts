import { keptOutcomes } from '../../lib/pipeline/kept-outcomes';
import { mergeRound } from '../../lib/schedule/merge';
import { packIds } from '../../lib/schedule/packed';
import type { MiniBatch } from '../../lib/schedule/records';
import { ballAt, statusAt } from '../../lib/schedule/state';
import { newRun, resultOf, robust } from '../schedule/simulation';

const batch: MiniBatch = {
  run: 'r',
  round: 0,
  id: '0-0',
  kind: 'suspect',
  epsilon: 1,
  label: 0,
  inputs: packIds([5]),
  size: 1,
  arm: 0,
  attempt: 1,
  seconds: 10,
};

test('a proof at the smaller radius is no proof at the larger one, though two plans gave both mini-batches one id', () => {
  const state = newRun({ inputs: 8, epsilons: [0.01, 0.02] });
  const smaller = { ...batch, epsilon: 0 };
  const result = { ...resultOf(smaller, (input) => robust(input)), epsilon: smaller.epsilon };
  const { state: merged, outcomes } = mergeRound(state, [batch], [result], []);
  expect(statusAt(merged, ballAt(merged, 5, 1))).toBe('open');
  expect(outcomes[0].error).toBe('no result; result refused: it is at radius 0, not 1');
  const right = mergeRound(state, [smaller], [result], []).state;
  expect(statusAt(right, ballAt(right, 5, 0))).toBe('robust');
});

test('the outcomes of a round are those of the state that counts, whoever writes them last', () => {
  const batches = [batch, { ...batch, id: '0-1', inputs: packIds([6]) }];
  const state = newRun({ inputs: 8, epsilons: [0.01, 0.02] });
  const results = batches.map((one) => resultOf(one, (input) => robust(input)));
  const early = mergeRound(state, batches, results.slice(0, 1), []);
  const late = mergeRound(state, batches, results, []);
  const counts = (outcomes: readonly { robust: number; open: number; error?: string }[]) =>
    outcomes.map(({ robust: proven, open, error }) => ({ proven, open, error }));
  const [first, second] = counts(late.outcomes);
  expect([first, second]).toEqual(Array(2).fill({ proven: 1, open: 0, error: undefined }));
  expect(counts(keptOutcomes(early.state, late.state, batches, late.outcomes))).toEqual([
    first,
    { proven: 0, open: 1, error: 'Late: its result came after the round was merged' },
  ]);
  expect(counts(keptOutcomes(late.state, early.state, batches, early.outcomes))).toEqual([first, second]);
});
