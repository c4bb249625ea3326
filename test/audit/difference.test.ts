import fc from 'fast-check';
import { differenceOf } from '../../lib/audit/difference';
import { differenceTable } from '../../lib/audit/difference-table';
import type { RunView } from '../../lib/audit/run-view';
import { type VerdictName, verdictNames } from '../../lib/verdict';

interface Side {
  readonly run?: string;
  readonly modelHash?: string;
  readonly keys?: readonly string[];
  /** By radius, the verdict of each input. */
  readonly verdicts: Readonly<Record<string, readonly (VerdictName | undefined)[]>>;
}

function viewOf({ run = 'r', modelHash = 'm', keys, verdicts }: Side): RunView {
  const inputs = Object.values(verdicts)[0].length;
  return {
    side: { run, model: 'models/m.onnx', modelHash, startedAt: '2026-11-22T02:00:00Z', cleanAccuracy: 1 },
    radii: Object.entries(verdicts).map(([epsilon, found]) => ({
      epsilon,
      value: Number(epsilon),
      certifiedAccuracy: [found.filter((verdict) => verdict === 'robust').length / inputs, 1],
    })),
    balls: Object.entries(verdicts).flatMap(([epsilon, found]) =>
      found.flatMap((verdict, index) => (verdict ? [{ index, label: 1, epsilon, verdict }] : [])),
    ),
    keys: keys ?? Array.from({ length: inputs }, (_, i) => `item ${i}`),
  };
}

test('what was proven, broken and lost, at each radius', () => {
  const before = viewOf({
    modelHash: 'a',
    verdicts: {
      '0.1': ['unknown', 'robust', 'robust', 'not-robust'],
      '0.2': ['unknown', 'unknown', 'robust', 'robust'],
    },
  });
  const after = viewOf({
    modelHash: 'b',
    verdicts: {
      '0.1': ['robust', 'not-robust', 'unknown', 'not-robust'],
      '0.3': ['robust', 'robust', 'robust', 'robust'],
    },
  });
  const difference = differenceOf(before, after);
  expect(difference.sameModel).toBe(false);
  expect(difference.radii).toEqual([
    expect.objectContaining({
      ...{ epsilon: '0.1', compared: 4, onlyBefore: 0, onlyAfter: 0, newlyProven: 1, newlyBroken: 1, lost: 1 },
      before: { robust: 2, 'not-robust': 1, unknown: 1, misclassified: 0 },
      after: { robust: 1, 'not-robust': 2, unknown: 1, misclassified: 0 },
      ...{ certifiedBefore: [0.5, 1], certifiedAfter: [0.25, 1] },
    }),
    expect.objectContaining({ epsilon: '0.2', compared: 0, onlyBefore: 4, onlyAfter: 0, certifiedBefore: [0.5, 1] }),
    expect.objectContaining({ epsilon: '0.3', compared: 0, onlyBefore: 0, onlyAfter: 4, certifiedAfter: [1, 1] }),
  ]);
  expect(difference.balls.map(({ indexAfter, before, after, change }) => [indexAfter, before, after, change])).toEqual([
    [0, 'unknown', 'robust', 'newly proven'],
    [1, 'robust', 'not-robust', 'newly broken'],
    [2, 'robust', 'unknown', 'lost'],
  ]);
  // Two versions of a model may differ as they like.
  expect(difference.contradictions).toEqual([]);
});

test('every change is one of the four, and counts add up', () => {
  const verdict = fc.constantFrom(...verdictNames);
  const run = fc.array(fc.tuple(verdict, verdict), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(run, (pairs) => {
      const [before, after] = [0, 1].map((side) =>
        viewOf({ modelHash: String(side), verdicts: { '0.1': pairs.map((pair) => pair[side]) } }),
      );
      const { radii, balls } = differenceOf(before, after);
      const [radius] = radii;
      const sum = (counts: object) => Object.values(counts).reduce((total, count) => total + count, 0);
      const changed = pairs.filter(([was, is]) => was !== is);
      return (
        sum(radius.before) === pairs.length &&
        sum(radius.after) === pairs.length &&
        balls.length === changed.length &&
        radius.newlyProven === changed.filter(([, is]) => is === 'robust').length &&
        radius.newlyBroken + radius.newlyProven + radius.lost <= changed.length
      );
    }),
  );
});

test('the same item is compared wherever it stands, and as often as both runs have it', () => {
  const before = viewOf({
    keys: ['a', 'b', 'a', 'c'],
    verdicts: { '0.1': ['unknown', 'robust', 'unknown', 'robust'] },
  });
  const after = viewOf({ keys: ['b', 'a', 'd'], verdicts: { '0.1': ['robust', 'robust', 'robust'] } });
  const { radii, balls } = differenceOf(before, after);
  expect(radii[0]).toMatchObject({ compared: 2, onlyBefore: 2, onlyAfter: 1, newlyProven: 1 });
  expect(balls).toMatchObject([{ indexBefore: 0, indexAfter: 1 }]);
});

test('balls without a verdict are not compared', () => {
  const before = viewOf({ verdicts: { '0.1': ['robust', undefined] } });
  const after = viewOf({ verdicts: { '0.1': [undefined, 'robust'] } });
  expect(differenceOf(before, after)).toMatchObject({
    radii: [{ compared: 0, onlyBefore: 1, onlyAfter: 1 }],
    balls: [],
  });
});

describe('verdicts that cannot both be true', () => {
  test.each([
    ['at the same radius', { '0.1': ['robust'] }, { '0.1': ['not-robust'] }],
    ['robust at a larger radius than it is broken at', { '0.2': ['robust'] }, { '0.1': ['not-robust'] }],
    ['within one run', { '0.1': ['not-robust'], '0.2': ['robust'] }, { '0.3': ['unknown'] }],
  ] as const)('%s', (_, was, is) => {
    const difference = differenceOf(viewOf({ run: 'old', verdicts: was }), viewOf({ run: 'new', verdicts: is }));
    expect(difference.contradictions).toEqual([expect.stringMatching(/^robust: run .*; not robust: run /)]);
    expect(differenceTable(difference, 20, false)).toContain('Verdicts contradict each other');
  });

  test.each([
    ['robust below where it is broken', { '0.1': ['robust'] }, { '0.2': ['not-robust'] }],
    ['unknown beside anything', { '0.1': ['unknown'] }, { '0.1': ['not-robust'] }],
  ] as const)('are not: %s', (_, was, is) => {
    expect(differenceOf(viewOf({ verdicts: was }), viewOf({ verdicts: is })).contradictions).toEqual([]);
  });

  test('are counted beyond the first twenty', () => {
    const all = (verdict: VerdictName) => viewOf({ verdicts: { '0.1': Array(25).fill(verdict) } });
    const { contradictions } = differenceOf(all('robust'), all('not-robust'));
    expect(contradictions).toHaveLength(21);
    expect(contradictions[20]).toBe('and 5 more');
  });
});

test('the table names what is broken first, says what it leaves out, and lets no control character through', () => {
  const before = viewOf({ run: 'a\u001b[31m', verdicts: { '0.1': ['unknown', 'robust', 'robust'] } });
  const after = viewOf({ run: 'b', modelHash: 'n', verdicts: { '0.1': ['robust', 'not-robust', 'unknown'] } });
  const text = differenceTable(differenceOf(before, after), 2, false);
  expect(text).not.toContain('\u001b');
  expect(text.indexOf('newly broken', text.indexOf('change'))).toBeLessThan(text.lastIndexOf('lost'));
  expect(text).toContain('and 1 more changed ball (--balls, --json)');
});
