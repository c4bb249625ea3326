import { gunzipSync, gzipSync } from 'node:zlib';
import { type ItemVerdicts, readVerdicts, writeVerdicts } from '../../lib/audit/verdict-store';
import { engineVersion } from '../../lib/engine-version';
import { sha256 } from '../../lib/policy/identity';
import { memoryStorage } from '../support/memory-storage';

const modelHash = 'a'.repeat(64);
const items: ItemVerdicts[] = [
  {
    item: 'one',
    balls: [
      { verdict: 'robust', epsilon: 0.1, settledBy: 'bound', margin: 0.5 },
      { verdict: 'not-robust', epsilon: 0.3, settledBy: 'attack', predicted: 2, witness: 'runs/r/w.npy' },
    ],
  },
  { item: 'two', balls: [{ verdict: 'robust', epsilon: 0.2, settledBy: 'search', margin: 1e-9 }] },
];

async function stored() {
  const storage = memoryStorage();
  await writeVerdicts(storage, { run: 'r', modelHash }, items);
  const [{ key }] = await storage.list('');
  return { storage, key };
}

test('what was written is read, with the run that found it', async () => {
  const { storage, key } = await stored();
  expect(key).toBe(`verdicts/${modelHash}/${engineVersion}/r.jsonl.gz`);
  await writeVerdicts(storage, { run: 's', modelHash }, [items[1]]);
  const { byItem, ignored } = await readVerdicts(storage, modelHash);
  expect(ignored).toEqual([]);
  expect(byItem.get('one')).toEqual(items[0].balls.map((ball) => ({ ...ball, run: 'r' })));
  expect(byItem.get('two')?.map(({ run }) => run)).toEqual(['r', 's']);
  expect((await readVerdicts(storage, 'b'.repeat(64))).byItem.size).toBe(0);
});

test('every damaged byte is noticed', async () => {
  const { storage, key } = await stored();
  const bytes = await storage.get(key);
  let taken = 0;
  for (let place = 0; place < bytes.length; place++) {
    const damaged = bytes.slice();
    damaged[place] ^= 1 << (place % 8);
    await storage.put(key, damaged);
    const { byItem } = await readVerdicts(storage, modelHash);
    // Bytes of gzip's own header (time, system) say nothing about what is in it.
    if (byItem.size > 0 && !gunzipSync(damaged).equals(gunzipSync(bytes))) taken++;
  }
  expect(taken).toBe(0);
});

/** Changes the stored text, with a hash that fits where `sign` says so. */
async function rewritten(change: (header: Record<string, unknown>, body: string) => string, sign = true) {
  const { storage, key } = await stored();
  const text = gunzipSync(await storage.get(key)).toString();
  const end = text.indexOf('\n') + 1;
  const header = JSON.parse(text.slice(0, end));
  const body = change(header, text.slice(end));
  const signed = { ...header, ...(sign && { sha256: sha256(body) }) };
  await storage.put(key, gzipSync(`${JSON.stringify(signed)}\n${body}`));
  return readVerdicts(storage, modelHash);
}

test.each<[string, (header: Record<string, unknown>, body: string) => string, boolean, RegExp]>([
  ['another radius', (_, body) => body.replace('"epsilon":0.1', '"epsilon":0.9'), false, /differs from its hash/],
  ['a line less', (_, body) => body.slice(0, body.indexOf('\n') + 1), false, /differs from its hash/],
  [
    'another model',
    (header, body) => [Object.assign(header, { modelHash: 'b' }), body][1] as string,
    true,
    /about the model b/,
  ],
  [
    'another engine',
    (header, body) => [Object.assign(header, { engine: 'e' }), body][1] as string,
    true,
    /of the engine e/,
  ],
  ['robust without a margin', (_, body) => body.replace('"margin":0.5', '"margin":0'), true, /line 2/],
  ['no radius', (_, body) => body.replace('"epsilon":0.1', '"epsilon":-1'), true, /line 2/],
])('%s: the object is left out as a whole', async (_, change, sign, problem) => {
  const { byItem, ignored } = await rewritten(change, sign);
  expect(byItem.size).toBe(0);
  expect(ignored).toEqual([expect.stringMatching(problem)]);
});
