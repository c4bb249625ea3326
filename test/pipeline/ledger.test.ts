import { ledgerLines } from '../../lib/pipeline/ledger';
import { emptyPosterior } from '../../lib/schedule/bandit';
import { copyState, createState, settle } from '../../lib/schedule/state';

const planned = createState({
  inputs: 3,
  epsilons: [0.1, 0.2],
  misclassified: Uint8Array.of(0, 1, 0),
  predicted: Int32Array.of(0, 5, 0),
  bandit: emptyPosterior,
});

test('after planning: the misclassified inputs, at every radius', () => {
  const line = { input: 1, status: 'misclassified', settledBy: 'prediction', predicted: 5, cpuSeconds: 0 };
  expect([...ledgerLines(undefined, planned)]).toEqual([
    { ...line, epsilon: 0 },
    { ...line, epsilon: 1 },
  ]);
});

test('after a round: the balls that were settled in it, and no other', () => {
  const after = copyState(planned);
  const batch = { round: 0, number: 4 };
  settle(after, 0, { verdict: 'robust', settledBy: 'bound', margin: 0.5, batch });
  settle(after, 5, { verdict: 'not-robust', settledBy: 'attack', predicted: 2, witness: 'w.npy', batch });
  expect([...ledgerLines(planned, after)]).toEqual([
    { input: 0, epsilon: 0, status: 'robust', settledBy: 'bound', margin: 0.5, cpuSeconds: 0, batch: '0-4' },
    {
      input: 2,
      epsilon: 1,
      status: 'not-robust',
      settledBy: 'attack',
      predicted: 2,
      witness: 'w.npy',
      cpuSeconds: 0,
      batch: '0-4',
    },
  ]);
  expect([...ledgerLines(after, after)]).toEqual([]);
});

test('an unknown ball has its reason; proven later, it has a second line', () => {
  const given = copyState(planned);
  settle(given, 2, { verdict: 'unknown', reason: 'time' });
  expect([...ledgerLines(planned, given)]).toEqual([
    { input: 2, epsilon: 0, status: 'unknown', reason: 'time', cpuSeconds: 0 },
  ]);
  const proven = copyState(given);
  settle(proven, 2, { verdict: 'robust', settledBy: 'bound', margin: 1 });
  expect([...ledgerLines(given, proven)]).toMatchObject([{ input: 2, epsilon: 0, status: 'robust' }]);
});
