import { mostCappedRounds } from '../../lib/schedule/budget';
import { mostRounds } from '../../lib/schedule/plan-round';
import type { Round, RunReference } from '../../lib/workflow/events';
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
