import { marginRows } from '../../lib/bounds/margin';
import { openRecords } from '../../lib/dataset/records';
import { encodeLemma } from '../../lib/group/lemmas/codec';
import { modelHash } from '../../lib/network/hash';
import { readInputs } from '../../lib/pipeline/inputs';
import { resultKey } from '../../lib/pipeline/keys';
import { openLemmaStore } from '../../lib/pipeline/lemmas';
import { planRun } from '../../lib/pipeline/plan';
import { readJson } from '../../lib/pipeline/records';
import { createVerifier } from '../../lib/pipeline/verify';
import { misclassification } from '../../lib/region/violation';
import { batchResultSchema } from '../../lib/schedule/records';
import type { Storage } from '../../lib/storage/storage';
import { getText } from '../../lib/storage/storage';
import { lemmasOf, someLemma } from '../group/lemmas/support';
import { batchesOf, megabyte } from '../support/in-process-run';
import { memoryStorage } from '../support/memory-storage';
import { requestRun, type TinySet, tinySet } from '../support/tiny-run';

let set: TinySet;
beforeAll(async () => {
  // Three inputs, and many close to each of them.
  const few = await tinySet({ count: 3 });
  const places = Array.from({ length: 60 }, (_, i) => i);
  const inputs = places.map((i) => few.inputs[i % 3].map((value) => Math.fround(value * (1 - i / 30_000))));
  set = { ...few, inputs, labels: places.map((i) => few.labels[i % 3]) };
});

/** Puts a lemma that some balls gave into storage; gives them, and the lemma's key. */
async function stored(storage: Storage) {
  const hash = modelHash(set.model);
  const { network, lemmas, release } = lemmasOf(set.model, { layer: 4 });
  const { lemma, queries } = await someLemma(network, lemmas);
  await release();
  const again = lemmasOf(set.model, { layer: 4 });
  await again.lemmas.bound(queries);
  await (await openLemmaStore(storage, hash)).save(again.lemmas);
  await again.release();
  const [{ key }] = await storage.list(`lemmas/${hash}/`);
  return { hash, lemma, queries, key };
}

/** Stores the lemmas that the run's own balls give, as an earlier run on more of them would have left them. */
async function provenEarlier(storage: Storage, epsilon: number): Promise<void> {
  const { network, lemmas, release } = lemmasOf(set.model, { layer: 4 });
  const all = [...set.labels.keys()];
  const inputs = await readInputs(await openRecords(storage, 'datasets/tiny'), network, all);
  for (const label of new Set(set.labels)) {
    const rows = marginRows(misclassification(label, network.classes));
    const same = all.filter((i) => set.labels[i] === label);
    await lemmas.bound(same.map((i) => ({ box: inputs.ball(i, epsilon), rows, label })));
  }
  await (await openLemmaStore(storage, modelHash(set.model))).save(lemmas);
  await release();
}

/** How many of the balls the stored lemmas settle in a new process. */
async function settledBy(storage: Storage, hash: string, queries: Awaited<ReturnType<typeof stored>>['queries']) {
  const { lemmas, release } = lemmasOf(set.model, { startAfter: Number.POSITIVE_INFINITY });
  await (await openLemmaStore(storage, hash)).load(queries[0].label!, lemmas);
  const settled = (await lemmas.bound(queries)).filter(({ lemma }) => lemma !== undefined).length;
  await release();
  return settled;
}

test('a lemma outlives its process: what it was made of is settled by it again', async () => {
  const storage = memoryStorage();
  const { hash, lemma, queries, key } = await stored(storage);
  expect(key).toMatch(new RegExp(`^lemmas/${hash}/baverly-.*/${lemma.label}/00000[4-8]-[0-9a-f]{64}\\.json$`));
  expect(await settledBy(storage, hash, queries)).toBeGreaterThanOrEqual(4);
});

test('the same lemma of two processes is one object, and is not listed a second time', async () => {
  const storage = memoryStorage();
  const { hash } = await stored(storage);
  const before = (await storage.list('lemmas/')).length;
  await stored(storage);
  expect(await storage.list(`lemmas/${hash}/`)).toHaveLength(before);
});

test('a damaged, moved, forged or foreign lemma settles nothing', async () => {
  const storage = memoryStorage();
  const { hash, lemma, queries, key } = await stored(storage);
  const good = await getText(storage, key);
  const source = JSON.parse(good).lemma as { modelHash: string; engine: string };
  const { modelHash: model, engine } = source;
  const forge = (change: object, about = { modelHash: model, engine }) =>
    encodeLemma({ ...lemma, ...change }, about).text;
  const everything = {
    lower: new Float32Array(lemma.box.lower.length),
    upper: new Float32Array(lemma.box.lower.length).fill(1e4),
  };
  const settled: number[] = [];
  for (const text of [
    good.replace('"upper":[', '"upper":[9,'),
    good.slice(0, 40),
    '',
    forge({ label: lemma.label + 1 }),
    forge({ box: everything, margin: 3 }),
    forge({ relu: 1 }),
    forge({}, { modelHash: 'another', engine }),
    forge({}, { modelHash: model, engine: 'an older engine' }),
  ]) {
    await storage.put(key, text);
    settled.push(await settledBy(storage, hash, queries));
  }
  expect(settled).toEqual(settled.map(() => 0));
  await storage.put(key, good);
  expect(await settledBy(storage, hash, queries)).toBeGreaterThanOrEqual(4);
});

test('a verifier uses stored lemmas where they are switched on, with the verdicts that it finds without', async () => {
  const verdicts: string[][] = [];
  const settlers = new Set<string>();
  for (const lemmas of [true, false]) {
    const storage = memoryStorage();
    await requestRun(storage, 'r', set, { epsilons: [{ text: '0.002', value: 0.002 }] });
    const batches = await batchesOf(storage, 'r', await planRun(storage, 'r'));
    await provenEarlier(storage, 0.002);
    const verifier = createVerifier(256 * megabyte, undefined, { lemmas });
    const found: string[] = [];
    for (const batch of batches) {
      await verifier.verify(storage, batch);
      const { balls } = await readJson(storage, resultKey('r', batch.round, batch.id), batchResultSchema);
      for (const ball of balls) {
        found.push(`${ball.input} ${ball.verdict}`);
        if (ball.verdict === 'robust') settlers.add(`${lemmas} ${ball.settledBy}`);
      }
    }
    verdicts.push(found.sort());
  }
  expect(verdicts[0]).toEqual(verdicts[1]);
  expect([...settlers].sort()).toEqual(['false bound', 'true lemma']);
});
