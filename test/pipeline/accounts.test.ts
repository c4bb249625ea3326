import { coordinateRound } from '../../lib/pipeline/coordinate';
import { ledgerKey, outcomesKey, resultKey, stateKey } from '../../lib/pipeline/keys';
import { planRun } from '../../lib/pipeline/plan';
import { reportRun } from '../../lib/pipeline/report';
import { createVerifier } from '../../lib/pipeline/verify';
import { getText, type Storage } from '../../lib/storage/storage';
import { dyingAfter } from '../support/dying-storage';
import { batchesOf, contentOf, megabyte } from '../support/in-process-run';
import { memoryStorage } from '../support/memory-storage';
import { requestRun, type TinySet, tinySet } from '../support/tiny-run';

let set: TinySet;
let storage: Storage;
/** Result of the first mini-batch, which some coordinators do not see. */
let missing: { key: string; body: string };

beforeEach(async () => {
  set ??= await tinySet({ wrong: 2 });
  storage = memoryStorage();
  await requestRun(storage, 'r', set);
  const batches = await batchesOf(storage, 'r', await planRun(storage, 'r'));
  const verifier = createVerifier(256 * megabyte);
  for (const batch of batches) await verifier.verify(storage, batch);
  const key = resultKey('r', 0, batches[0].id);
  missing = { key, body: await getText(storage, key) };
});

/** Storage of a coordinator that saw what there was before the first mini-batch had its result, and learns of the state when it writes its own. */
function behind(inner: Storage, before: Promise<void> = Promise.resolve()): Storage {
  let hasCommitted = false;
  return {
    ...inner,
    list: async (prefix) => (await inner.list(prefix)).filter(({ key }) => key !== missing.key),
    get: (key) => inner.get(key === stateKey('r', 1) && !hasCommitted ? 'no/such/key' : key),
    async putIfAbsent(key, body) {
      await before;
      hasCommitted = true;
      return inner.putIfAbsent(key, body);
    },
  };
}

const accountsIn = async (from: Storage): Promise<string[]> =>
  Promise.all([ledgerKey('r', 0), outcomesKey('r', 0)].map((key) => getText(from, key)));

/** The accounts of a round that nothing disturbs. */
async function calmAccounts(): Promise<string[]> {
  const objects = await storage.list('');
  const calm = memoryStorage(await Promise.all(objects.map(async ({ key }) => [key, await storage.get(key)] as const)));
  await coordinateRound(calm, 'r', 0, []);
  return accountsIn(calm);
}

test.each([0, 1, 2, 3])('a coordinator that is late and dies after %i writes changes nothing', async (writes) => {
  await coordinateRound(storage, 'r', 0, []);
  const kept = await contentOf(storage);
  const death = coordinateRound(dyingAfter(behind(storage), writes), 'r', 0, []);
  await expect(death).rejects.toThrow('killed');
  expect(await contentOf(storage)).toEqual(kept);
});

test('of two coordinators at the same time, the one whose state does not count changes nothing', async () => {
  let goOn = (): void => {};
  const late = coordinateRound(behind(storage, new Promise((resolve) => (goOn = resolve))), 'r', 0, []);
  const next = await coordinateRound(storage, 'r', 0, []);
  const kept = await contentOf(storage);
  goOn();
  expect(await late).toEqual(next);
  expect(await contentOf(storage)).toEqual(kept);
});

const mending: Readonly<Record<string, () => Promise<unknown>>> = {
  'the coordinator that is called in its place': () => coordinateRound(storage, 'r', 0, []),
  'the plan of an execution that goes on': () => planRun(storage, 'r'),
  'the report of the failure': () => reportRun(storage, 'r', { error: 'Lambda.Unknown', problems: ['killed'] }),
};
describe.each(Object.keys(mending))('accounts that a coordinator left unwritten are written by %s', (who) => {
  test.each([1, 2])('where it died after %i writes', async (writes) => {
    const expected = await calmAccounts();
    await expect(coordinateRound(dyingAfter(storage, writes), 'r', 0, [])).rejects.toThrow('killed');
    await expect(accountsIn(storage)).rejects.toThrow('no object with key');
    await mending[who]();
    expect(await accountsIn(storage)).toEqual(expected);
  });
});

test('a result that came after its round was merged settles nothing, and the table of mini-batches says so', async () => {
  await expect(coordinateRound(dyingAfter(behind(storage), 1), 'r', 0, [])).rejects.toThrow('killed');
  await planRun(storage, 'r');
  const [ledger, table] = await accountsIn(storage);
  const members = (JSON.parse(missing.body) as { balls: { input: number }[] }).balls.map(({ input }) => input);
  const settled: number[] = ledger
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line).input);
  expect(settled.length).toBeGreaterThan(0);
  expect(settled.filter((input) => members.includes(input))).toEqual([]);
  expect(table.split('\n')[0]).toContain('Late: its result came after the round was merged');
});

test('what is known before the first round is in the ledger, also where plan died before it wrote that', async () => {
  const fresh = memoryStorage();
  await requestRun(fresh, 'r', set);
  await expect(planRun(dyingAfter(fresh, 3), 'r')).rejects.toThrow('killed');
  expect(await fresh.list('runs/r/state/')).toHaveLength(1);
  expect(await fresh.list('runs/r/ledger/')).toEqual([]);
  await planRun(fresh, 'r');
  expect(await getText(fresh, ledgerKey('r', 'plan'))).toBe(await getText(storage, ledgerKey('r', 'plan')));
});
