import { BadInputError } from '../../lib/errors';
import { matches, parsePolicy, readPolicies } from '../../lib/policy/read';
import { memoryStorage } from '../support/memory-storage';

const policy = { version: 1, models: 'models/mnist-*.onnx', dataset: 'datasets/mnist', epsilons: ['0.02', '2/255'] };
const parse = (value: unknown) =>
  parsePolicy(typeof value === 'string' ? value : JSON.stringify(value), 'p', 'policies/p.json');

function problemsOf(value: unknown): readonly string[] {
  try {
    parse(value);
    return [];
  } catch (error) {
    if (error instanceof BadInputError) return error.problems;
    throw error;
  }
}

test('what is not written has a default, and radii are read', () => {
  const read = parse(policy);
  expect(read.policy).toEqual({
    ...policy,
    secondsPerBall: 20,
    seed: 0,
    workers: 100,
    acceptLowAccuracy: false,
    thresholds: { certified: [] },
    notify: [],
    audit: 'never',
    recheck: 0.05,
  });
  expect(read.epsilons).toEqual([
    { text: '0.02', value: 0.02 },
    { text: '2/255', value: 2 / 255 },
  ]);
});

test('the version is of what is asked, not of how it is written', () => {
  const { version } = parse(policy);
  const turned = Object.fromEntries(Object.entries({ ...policy, seed: 0, audit: 'never' }).reverse());
  expect(parse(JSON.stringify(turned, null, 4)).version).toBe(version);
  const others = [
    { seed: 1 },
    { epsilons: ['2/255', '0.02'] },
    { maxUsd: 1 },
    { thresholds: { newlyBroken: 0 } },
    { preprocessing: { mean: [0.5] } },
  ].map((change) => parse({ ...policy, ...change }).version);
  expect(new Set([version, ...others]).size).toBe(6);
});

test('every problem is named with its place', () => {
  const problems = problemsOf({
    version: 2,
    models: 'data/x*.onnx',
    dataset: '/etc',
    epsilons: ['0.1', 'x', '1/10'],
    epsilon: 3,
    'two words': 1,
    preprocessing: { clip: [1, 0] },
    thresholds: { certified: [{ epsilon: '0.2', atLeast: 2 }], accuracy: 1 },
    audit: true,
    notify: ['a@example.org', 'nobody'],
    workers: 0,
    maxUsd: 0,
  });
  const places = problems.map((problem) => problem.slice(0, problem.indexOf(': ')));
  expect([...places].sort()).toEqual(
    [
      '$.version',
      '$.models',
      '$.dataset',
      '$.epsilons[1]',
      '$.epsilons[2]',
      '$.epsilon',
      '$["two words"]',
      '$.preprocessing.clip',
      '$.thresholds.certified[0].atLeast',
      '$.thresholds.certified[0].epsilon',
      '$.thresholds.accuracy',
      '$.audit',
      '$.notify[1]',
      '$.workers',
      '$.maxUsd',
    ].sort(),
  );
  expect(problems).toContain('$.epsilons[2]: the same radius as $.epsilons[0]: leave one out');
});

test.each([
  ['{', /^\$: it is not JSON: /],
  ['[]', /^\$: /],
  ['null', /^\$: /],
  [{ ...policy, epsilons: 'all' }, /^\$\.epsilons: /],
  [{ ...policy, thresholds: { certified: {} } }, /^\$\.thresholds\.certified: /],
  [{ ...policy, epsilons: [] }, /^\$\.epsilons: /],
])('%j is refused, once', (value, problem) => {
  expect(problemsOf(value)).toEqual([expect.stringMatching(problem)]);
});

test('a second threshold at a radius, however it is written', () => {
  const certified = ['0.02', '2/100'].map((epsilon) => ({ epsilon, atLeast: 0.5 }));
  expect(problemsOf({ ...policy, thresholds: { certified } })).toEqual([
    '$.thresholds.certified[1].epsilon: a second threshold at the radius of $.thresholds.certified[0].epsilon: leave one out',
  ]);
});

test('globs are about model keys', () => {
  const about = (models: string, model: string) => matches(parse({ ...policy, models }), model);
  expect(about('models/**', 'models/a/b.onnx')).toBe(true);
  expect(about('**/*.onnx', 'models/a/b.onnx')).toBe(true);
  expect(about('models/*.onnx', 'models/a/b.onnx')).toBe(false);
  expect(about('models/{a,b}.onnx', 'models/b.onnx')).toBe(true);
});

test('the policies of a storage: good ones are read although others are refused', async () => {
  const storage = memoryStorage([
    ['policies/good.json', JSON.stringify(policy)],
    ['policies/team/deep.json', JSON.stringify(policy)],
    ['policies/bad.json', '{'],
    ['policies/notes.txt', 'not a policy'],
  ]);
  const { policies, refused } = await readPolicies(storage);
  expect(policies.map(({ name }) => name)).toEqual(['good', 'team/deep']);
  expect(refused).toEqual([{ key: 'policies/bad.json', problems: [expect.stringContaining('not JSON')] }]);
});
