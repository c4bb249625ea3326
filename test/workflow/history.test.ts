import { armSizes } from '../../lib/schedule/bandit';
import { mostCappedRounds } from '../../lib/schedule/budget';
import { packIds } from '../../lib/schedule/packed';
import { mostRounds } from '../../lib/schedule/plan-round';
import { type MiniBatch, miniBatchSchema } from '../../lib/schedule/records';
import { coordinateInputSchema, type Round, type RunReference } from '../../lib/workflow/events';
import { limits } from '../../lib/workflow/interpreter/limits';
import { runLocally } from '../../lib/workflow/local';
import { memoryStorage } from '../support/memory-storage';
import { fakeClock } from './support/fake-clock';
import { fail, fakePool, runEvent, twoRounds } from './support/fake-functions';

/** Events of a run of so many rounds; `troubled`: every call of coordinate fails as often as it may be tried again. */
async function eventsOf(rounds: number, troubled: boolean): Promise<number> {
  const storage = memoryStorage();
  const handlers = twoRounds(storage);
  const run: RunReference = { id: 'r1', bucket: 'data' };
  let round = 0;
  let failures = 0;
  const pool = fakePool({
    ...handlers,
    async coordinate() {
      if (troubled && failures++ % 8 < 6) fail('Lambda.TooManyRequestsException');
      if (troubled && failures % 8 === 7) fail('Lambda.Unknown');
      round++;
      const next: Round = { ...planned, number: round, done: round === rounds };
      return { run, round: next };
    },
  });
  const planned = { planKey: 'runs/r1/rounds/0/plan.jsonl', batches: 3, maxConcurrency: 2, long: false } as const;
  let events = 0;
  const result = await runLocally({
    ...{ storage, bucket: 'data', pool, concurrency: 4, clock: fakeClock(), input: runEvent('r1') },
    onEvent: ({ kind }) => {
      if (kind === 'history') events++;
    },
  });
  expect(result.status).toBe('SUCCEEDED');
  return events;
}

test('the longest run that the limits allow has fewer than 20,000 events, whatever is tried again', async () => {
  const [one, three] = [await eventsOf(1, true), await eventsOf(3, true)];
  const perRound = (three - one) / 2;
  expect(perRound).toBeGreaterThan(13);
  // Plan, the scan of a large data set and the report may be tried again as often.
  const besides = one + 3 * perRound;
  expect(besides + mostCappedRounds * perRound).toBeLessThan(20_000);
  // Attempts are at most 200 (createState), and a run without a cap has no more rounds than these.
  expect(mostRounds(200)).toBeLessThan(mostCappedRounds);
});

test('a quiet round costs 13 events', async () => {
  expect(((await eventsOf(5, false)) - (await eventsOf(1, false))) / 4).toBe(13);
});

test('no state holds more than a fiftieth of what it may, whatever the data set', () => {
  const run: RunReference = { id: 'r'.repeat(80), bucket: 'b'.repeat(63) };
  const most = armSizes[armSizes.length - 1];
  // As far apart as inputs can be: five bytes each.
  const inputs = Uint32Array.from({ length: most }, (_, i) => i * 2 ** 24);
  const batch: MiniBatch = miniBatchSchema.parse({
    run: run.id,
    round: mostCappedRounds,
    id: `${mostCappedRounds}-${2 ** 31}`,
    kind: 'suspect',
    epsilon: 1000,
    label: 1_000_000,
    inputs: packIds(inputs),
    size: most,
    arm: most,
    attempt: 200,
    seconds: 1 / 3,
    patience: 1 / 3,
  });
  const key = 'k'.repeat(1024);
  const round: Round = {
    number: 1e9,
    planKey: key,
    batches: 2 ** 31,
    maxConcurrency: 10_000,
    long: false,
    done: false,
  };
  const map = { MapRunArn: 'a'.repeat(2048), ResultWriterDetails: { Bucket: run.bucket, Key: key } };
  const coordinate = coordinateInputSchema.parse({ run, round: { ...round, scan: true }, map });
  const sizes = [{ bucket: run.bucket, batch }, coordinate].map((state) => Buffer.byteLength(JSON.stringify(state)));
  expect(Math.max(...sizes)).toBeLessThan(2 * (limits.payloadBytes / 100));
});
