import { withRechecks } from '../../lib/audit/reuse';
import { type ReusedBall, readReuse } from '../../lib/audit/reuse-record';
import { readVerdicts, writeVerdicts } from '../../lib/audit/verdict-store';
import { writeNpy } from '../../lib/dataset/npy';
import { engineVersion } from '../../lib/engine-version';
import { verdictsPrefix } from '../../lib/pipeline/keys';
import { planRun } from '../../lib/pipeline/plan';
import type { Report } from '../../lib/report/record';
import type { Storage } from '../../lib/storage/storage';
import { runToEnd } from '../support/in-process-run';
import { memoryStorage } from '../support/memory-storage';
import { requestRun, type TinySet, tinySet } from '../support/tiny-run';
import { policyOf, policyRun, reported, verdictsOf } from './policy-run';

const radii = (...texts: string[]) => ({ epsilons: texts.map((text) => ({ text, value: Number(text) })) });
const reused = (storage: Storage, run: string) => readReuse(storage, run).then((record) => record!.balls);

let set: TinySet;
/** Storage after a run at the radii 0.02 and 0.1. */
let known: Storage;
let first: Report;
beforeAll(async () => {
  set = await tinySet({ wrong: 2, count: 24 });
  known = memoryStorage();
  ({ report: first } = await policyRun(known, 'first', set, {}, radii('0.02', '0.1')));
});

/** What the first run left, for a test of its own. */
async function copyOfKnown(): Promise<Storage> {
  const keys = (await known.list('')).map(({ key }) => key);
  return memoryStorage(await Promise.all(keys.map(async (key) => [key, await known.get(key)] as const)));
}

test('a second run verifies nothing and has the same verdicts', async () => {
  const storage = await copyOfKnown();
  const { report, batches } = await policyRun(storage, 'second', set, {}, radii('0.02', '0.1'));
  expect(batches).toEqual([0]);
  expect(verdictsOf(report)).toEqual(verdictsOf(first));
  const settled = new Set(report.balls.map(({ settledBy }) => settledBy?.split(' ')[0]));
  expect(settled).toEqual(new Set(['prediction', 'reused']));
  // Found by the first run, and not stored a second time.
  const stored = await storage.list(verdictsPrefix(policyOf(set).modelHash, engineVersion));
  expect(stored.map(({ key }) => key.split('/').pop())).toEqual(['first.jsonl.gz']);
});

test('robust holds at smaller radii, and a witness in every ball that it lies in; nothing else is taken', async () => {
  const storage = await copyOfKnown();
  await policyRun(storage, 'other radii', set, {}, radii('0.01', '0.05', '0.2'));
  const at = (epsilon: string) =>
    new Map(first.balls.filter((ball) => ball.epsilon === epsilon).map((ball) => [ball.index, ball.verdict]));
  const [small, large] = [at('0.02'), at('0.1')];
  const taken = await reused(storage, 'other radii');
  const verdictAt = (epsilon: number, input: number) =>
    taken.find((ball) => ball.epsilon === epsilon && ball.input === input)?.proven.verdict;
  let wrong = 0;
  for (let input = 2; input < set.inputs.length; input++) {
    if ((verdictAt(0, input) === 'robust') !== (small.get(input) === 'robust' || large.get(input) === 'robust'))
      wrong++;
    if ((verdictAt(1, input) === 'robust') !== (large.get(input) === 'robust')) wrong++;
    if (verdictAt(2, input) === 'robust') wrong++;
    const isBroken = small.get(input) === 'not-robust' || large.get(input) === 'not-robust';
    if ((verdictAt(2, input) === 'not-robust') !== isBroken) wrong++;
    if (small.get(input) === 'robust' && verdictAt(0, input) === 'not-robust') wrong++;
  }
  expect(wrong).toBe(0);
  expect(new Set([0, 1, 2].map((epsilon) => taken.filter((ball) => ball.epsilon === epsilon).length)).size).toBe(3);
  // What was misclassified before any perturbation is predicted anew.
  expect(taken.filter(({ input }) => input < 2)).toEqual([]);
});

test.each<[string, (set: TinySet) => Promise<TinySet> | TinySet, object]>([
  [
    'another model',
    async () => ({ ...(await tinySet({ seed: 7, count: 1 })), inputs: set.inputs, labels: set.labels }),
    {},
  ],
  [
    'other inputs',
    ({ inputs, ...rest }) => ({
      ...rest,
      inputs: inputs.map((input) => input.map((value) => Math.fround(value * 0.999))),
    }),
    {},
  ],
  ['other labels', ({ labels, ...rest }) => ({ ...rest, labels: labels.map((label) => (label + 1) % 3) }), {}],
  ['another preprocessing', (same) => same, { preprocessing: { clip: [0, 1.5] } }],
])('nothing is taken for %s', async (_, change, request) => {
  const storage = await copyOfKnown();
  const changed = await change(set);
  const asked = { policy: policyOf(changed), acceptLowAccuracy: true, ...radii('0.02', '0.1'), ...request };
  await requestRun(storage, 'changed', changed, asked);
  await planRun(storage, 'changed');
  expect(await reused(storage, 'changed')).toEqual([]);
});

test('an item is known wherever it stands in a data set', async () => {
  const storage = await copyOfKnown();
  const turned = { ...set, inputs: set.inputs.toReversed(), labels: set.labels.toReversed() };
  const { batches, report } = await policyRun(storage, 'turned', turned, {}, radii('0.02', '0.1'));
  expect(batches).toEqual([0]);
  const mirrored = first.balls.map(
    ({ index, epsilon, verdict }) => `${set.inputs.length - 1 - index} ${epsilon} ${verdict}`,
  );
  expect(verdictsOf(report).sort()).toEqual(mirrored.sort());
});

test('what another engine found is not even read', async () => {
  const storage = memoryStorage();
  const [{ key }] = await known.list('verdicts/');
  await storage.put(key.replace(engineVersion, 'baverly-0.0.0-engine-0-ort-1'), await known.get(key));
  expect((await readVerdicts(storage, policyOf(set).modelHash)).byItem.size).toBe(0);
});

test('damaged verdicts are left out as a whole, and the run says so', async () => {
  const storage = await copyOfKnown();
  const [{ key }] = await storage.list('verdicts/');
  const bytes = await storage.get(key);
  bytes[bytes.length >> 1] ^= 1;
  await storage.put(key, bytes);
  const { report, batches } = await policyRun(storage, 'second', set, {}, radii('0.02'));
  expect(batches[0]).toBeGreaterThan(0);
  expect(report.balls.some(({ settledBy }) => settledBy?.startsWith('reused'))).toBe(false);
  expect((await readReuse(storage, 'second'))!.ignored).toEqual([expect.stringContaining(key)]);
});

test('a witness that is gone, or that the model classifies as labelled, is looked for again', async () => {
  const storage = await copyOfKnown();
  const witnesses = (await storage.list('runs/first/rounds/'))
    .map(({ key }) => key)
    .filter((key) => key.endsWith('.npy'));
  const fine = first.balls.find(({ verdict, epsilon }) => verdict === 'robust' && epsilon === '0.1')!;
  for (const key of witnesses) await storage.put(key, writeNpy({ shape: [4], values: set.inputs[fine.index] }));
  const { report, batches } = await policyRun(storage, 'second', set, {}, radii('0.02', '0.1'));
  expect(batches[0]).toBeGreaterThan(0);
  expect(verdictsOf(report)).toEqual(verdictsOf(first));
  const broken = report.balls.filter(({ verdict }) => verdict === 'not-robust');
  expect(broken.every(({ settledBy }) => settledBy === 'attack' || settledBy === 'search')).toBe(true);
});

describe('a share is verified again', () => {
  test('and confirmed, whatever the attempt finds', async () => {
    const storage = await copyOfKnown();
    const { report, batches } = await policyRun(storage, 'second', set, { recheck: 1 }, radii('0.02', '0.1'));
    expect(batches[0]).toBeGreaterThan(0);
    expect(verdictsOf(report)).toEqual(verdictsOf(first));
    expect((await reused(storage, 'second')).every(({ recheck }) => recheck)).toBe(true);
  });

  test('and has the old verdict where the attempt finds none', async () => {
    const storage = await copyOfKnown();
    await requestRun(storage, 'second', set, { policy: policyOf(set, { recheck: 1 }), ...radii('0.02', '0.1') });
    await planRun(storage, 'second');
    const { report } = await reported(storage, 'second');
    expect(report.status).toBe('done');
    expect(verdictsOf(report)).toEqual(verdictsOf(first));
  });

  test('and a contradiction stops the run', async () => {
    const storage = await copyOfKnown();
    const { modelHash } = policyOf(set);
    const { byItem } = await readVerdicts(storage, modelHash);
    // A robust verdict is forged for every item that is broken at 0.1, and the witnesses are taken away.
    const forged = [...byItem].flatMap(([item, found]) =>
      found.some(({ verdict }) => verdict === 'not-robust')
        ? [{ item, balls: [{ verdict: 'robust' as const, epsilon: 0.1, settledBy: 'bound', margin: 1 }] }]
        : [],
    );
    expect(forged.length).toBeGreaterThan(0);
    await writeVerdicts(storage, { run: 'first', modelHash }, forged);
    await requestRun(storage, 'second', set, { policy: policyOf(set, { recheck: 1 }), ...radii('0.1') });
    await runToEnd(storage, 'second');
    await expect(reported(storage, 'second')).rejects.toMatchObject({ name: 'ContradictionError' });
  });

  test('and a proof beside a witness in the same ball stops it before it is planned', async () => {
    const storage = await copyOfKnown();
    const { modelHash } = policyOf(set);
    const { byItem } = await readVerdicts(storage, modelHash);
    const [item] = [...byItem].find(([, found]) => found.some(({ verdict }) => verdict === 'not-robust'))!;
    const forged = { verdict: 'robust' as const, epsilon: 0.1, settledBy: 'bound', margin: 1 };
    await writeVerdicts(storage, { run: 'forged', modelHash }, [{ item, balls: [forged] }]);
    await requestRun(storage, 'second', set, { policy: policyOf(set), ...radii('0.1') });
    await expect(planRun(storage, 'second')).rejects.toMatchObject({ name: 'ContradictionError' });
  });

  test('drawn by seed and run: the same again, others in another run', () => {
    const proven = { verdict: 'robust' as const, epsilon: 0.1, settledBy: 'bound', margin: 1 };
    const found = Array.from({ length: 200 }, (_, input) => ({ input, epsilon: 0, from: 'r', proven }));
    const drawn = (balls: readonly ReusedBall[]) => balls.filter(({ recheck }) => recheck).map(({ input }) => input);
    const tenth = drawn(withRechecks(found, 0.1, 1, 'a'));
    expect(tenth).toHaveLength(20);
    expect(drawn(withRechecks(found, 0.1, 1, 'a'))).toEqual(tenth);
    expect(drawn(withRechecks(found, 0.1, 1, 'b'))).not.toEqual(tenth);
    expect(drawn(withRechecks(found, 0.1, 2, 'a'))).not.toEqual(tenth);
    expect(drawn(withRechecks(found, 0, 1, 'a'))).toEqual([]);
    expect(drawn(withRechecks(found, 0.001, 1, 'a'))).toHaveLength(1);
  });
});

test('a run that no policy asked for reuses and stores nothing', async () => {
  const storage = await copyOfKnown();
  await requestRun(storage, 'by hand', set, radii('0.02'));
  await runToEnd(storage, 'by hand');
  await reported(storage, 'by hand');
  expect(await readReuse(storage, 'by hand')).toBeUndefined();
  expect((await storage.list('verdicts/')).map(({ key }) => key.split('/').pop())).toEqual(['first.jsonl.gz']);
});

test('what is planned again after a crash relies on the same verdicts', async () => {
  const storage = await copyOfKnown();
  await requestRun(storage, 'second', set, { policy: policyOf(set), ...radii('0.02', '0.1') });
  await planRun(storage, 'second');
  const before = await reused(storage, 'second');
  const kept = (await storage.list('')).map(({ key }) => key).filter((key) => !key.includes('/state/'));
  const crashed = memoryStorage(await Promise.all(kept.map(async (key) => [key, await storage.get(key)] as const)));
  await writeVerdicts(crashed, { run: 'meanwhile', modelHash: policyOf(set).modelHash }, []);
  await planRun(crashed, 'second');
  expect(await reused(crashed, 'second')).toEqual(before);
});
