import { simulatedVerify } from '../../bench/support/simulated-run';
import { coordinateRound } from '../../lib/pipeline/coordinate';
import { planRun } from '../../lib/pipeline/plan';
import type { Storage } from '../../lib/storage/storage';
import { batchesOf, contentOf } from '../support/in-process-run';
import { memoryStorage } from '../support/memory-storage';
import { type Prepared, prepare } from './prepared';
import { law, run } from './storm';

let prepared: Prepared;
beforeAll(async () => {
  prepared = await prepare(60);
});

const now = () => Date.UTC(2026, 0, 1);

/** The storage as a process sees it that dies at its `request`-th write, before or after it is done. */
function dying(inner: Storage, at: number, isDone: boolean): { storage: Storage; writes: () => number } {
  let writes = 0;
  let dead = false;
  const alive = async <Value>(work: () => Promise<Value>): Promise<Value> => {
    if (dead) throw new Error('the process is dead');
    return work();
  };
  const write = <Value>(work: () => Promise<Value>): Promise<Value> =>
    alive(async () => {
      if (writes++ !== at) return work();
      dead = true;
      if (isDone) await work();
      throw new Error('the process dies');
    });
  return {
    writes: () => writes,
    storage: {
      location: inner.location,
      get: (key) => alive(() => inner.get(key)),
      getRange: (key, start, end) => alive(() => inner.getRange(key, start, end)),
      list: (prefix) => alive(() => inner.list(prefix)),
      put: (key, body) => write(() => inner.put(key, body)),
      putIfAbsent: (key, body) => write(() => inner.putIfAbsent(key, body)),
    },
  };
}

/** What the work writes undisturbed, and which deaths in it, followed by doing it again, leave something else. */
async function differences(
  before: Iterable<readonly [string, Uint8Array]>,
  work: (storage: Storage) => Promise<unknown>,
) {
  const content = [...before];
  const calm = memoryStorage(content);
  const counted = dying(calm, -1, false);
  const answer = await work(counted.storage);
  const whole = await contentOf(calm);
  const different: string[] = [];
  for (let at = 0; at < counted.writes(); at++) {
    for (const isDone of [false, true]) {
      const storage = memoryStorage(content);
      await work(dying(storage, at, isDone).storage).catch(() => {});
      const again = await work(storage);
      const isSame = JSON.stringify([again, await contentOf(storage)]) === JSON.stringify([answer, whole]);
      if (!isSame) different.push(`write ${at}, ${isDone ? 'done' : 'not done'}`);
    }
  }
  return { writes: counted.writes(), different };
}

const entriesOf = async (storage: Storage) =>
  Promise.all((await storage.list('')).map(async ({ key }) => [key, await storage.get(key)] as const));

test('planning that dies before or after any of its writes, and is done again, leaves what it leaves undisturbed', async () => {
  const { writes, different } = await differences(prepared.content, (storage) => planRun(storage, run.id, now));
  expect({ several: writes > 4, different }).toEqual({ several: true, different: [] });
});

test('a coordinator that dies before or after any of its writes, and is run again, leaves what it leaves undisturbed', async () => {
  const storage = memoryStorage(prepared.content);
  let round = await planRun(storage, run.id, now);
  let rounds = 0;
  for (; !round.done; rounds++) {
    for (const batch of await batchesOf(storage, run.id, round)) await simulatedVerify(storage, law, batch);
    const { number } = round;
    const work = (each: Storage) => coordinateRound(each, run.id, number, [], now);
    const { writes, different } = await differences(await entriesOf(storage), work);
    expect({ round: number, several: writes > 2, different }).toEqual({ round: number, several: true, different: [] });
    round = await work(storage);
  }
  expect(rounds).toBeGreaterThan(2);
});
