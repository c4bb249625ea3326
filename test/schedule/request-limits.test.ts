import { BadInputError } from '../../lib/errors';
import { parseJson } from '../../lib/pipeline/records';
import { parsePolicy } from '../../lib/policy/read';
import { armSizes } from '../../lib/schedule/bandit';
import { type RunRequest, runRequestSchema } from '../../lib/schedule/records';
import { ballsProblem, mostMembers, requestLimits } from '../../lib/schedule/request-limits';

const request: RunRequest = {
  ...{ version: 1, model: 'models/m.onnx', dataset: 'datasets/d', mode: 'batch', seed: 0, acceptLowAccuracy: false },
  epsilons: [{ text: '0.1', value: 0.1 }],
  secondsPerBall: 3600,
  workers: 10_000,
};

function problemsOf(read: () => unknown): readonly string[] {
  try {
    read();
    return [];
  } catch (error) {
    if (error instanceof BadInputError) return error.problems;
    throw error;
  }
}
const problems = (changes: Partial<RunRequest>): readonly string[] =>
  problemsOf(() => parseJson(runRequestSchema, JSON.stringify({ ...request, ...changes }), 'request'));

const radii = (count: number) => Array.from({ length: count }, (_, i) => ({ text: `${i + 1}`, value: i + 1 }));

test('a request may ask for what is at the limit, and for nothing above it', () => {
  expect(problems({ epsilons: radii(requestLimits.radii) })).toEqual([]);
  expect(problems({ epsilons: radii(101), secondsPerBall: 3601, workers: 10_001 })).toEqual([
    'epsilons: at most 100 radii: verify others in a run of their own',
    'secondsPerBall: at most 3600 seconds: what takes longer stays unknown',
    'workers: at most 10000 at the same time',
  ]);
  expect(problems({ workers: 1e9 })).toHaveLength(1);
});

test('a policy has the same limits, each told at its place', () => {
  const policy = { version: 1, models: 'models/*.onnx', dataset: 'datasets/d' };
  const epsilons = radii(101).map(({ text }) => text);
  const text = JSON.stringify({ ...policy, epsilons, secondsPerBall: 1e6, workers: 20_000 });
  expect(problemsOf(() => parsePolicy(text, 'p', 'policy'))).toEqual([
    '$.epsilons: at most 100 radii: verify others in a run of their own',
    '$.secondsPerBall: at most 3600 seconds: what takes longer stays unknown',
    '$.workers: at most 10000 at the same time',
  ]);
});

test('balls are inputs times radii', () => {
  expect(ballsProblem(requestLimits.balls, 1)).toBeUndefined();
  expect(ballsProblem(1_000_000, 11)).toBe(
    '1000000 inputs at 11 radii are 11000000 balls, of which a run has at most 5000000: ' +
      'verify fewer at once (first), or each radius in a run of its own',
  );
});

test('no size that is tried is larger than a mini-batch may be', () => {
  expect(Math.max(...armSizes)).toBe(mostMembers);
});
