import { type CostOptions, costByService, costOf, costSchema } from '../../lib/cost/cost';
import { prices } from '../../lib/cost/prices';
import { addRound, noUsage } from '../../lib/cost/usage';

const options: CostOptions = { inputs: 1e6, balls: 1e6, workers: 1000, kind: 'local', architecture: 'arm64' };

/** Equal mini-batches of one round. */
const round = (count: number, size: number, wallSeconds: number, long = false) =>
  addRound(
    noUsage,
    Array.from({ length: count }, () => ({ size, wallSeconds, witnesses: 0 })),
    long,
  );

const usdOf = (cost: ReturnType<typeof costOf>, item: string) => cost.items.find((one) => one.item === item)!.usd;

test('a million inputs at 50 ms in 5,000 Express children cost what the design says', () => {
  const cost = costOf(round(5000, 200, 10), { ...options, workers: 1 });
  expect(usdOf(cost, 'GB-s of verify')).toBeCloseTo(1.152, 2);
  expect(usdOf(cost, 'Express executions') + usdOf(cost, 'Express GB-s')).toBeCloseTo(0.057, 3);
});

test('a Standard child per input costs 25 dollars of transitions', () => {
  const cost = costOf(round(1e6, 1, 0.05, true), options);
  expect(usdOf(cost, 'Standard transitions')).toBeCloseTo(25, 1);
  expect(usdOf(cost, 'Express executions')).toBe(0);
});

test('items add up to the services and to the sum, and say which prices', () => {
  const cost = costSchema.parse(costOf(round(10, 8, 3), options));
  expect([...costByService(cost).keys()]).toEqual(['Lambda', 'Step Functions', 'S3']);
  expect([...costByService(cost).values()].reduce((a, b) => a + b)).toBeCloseTo(cost.usd, 12);
  expect(cost).toMatchObject({ region: prices.region, date: prices.date, usdPerBall: cost.usd / 1e6 });
});

test('more of anything never costs less; x64 costs more than arm64', () => {
  const base = round(10, 8, 3);
  const { usd } = costOf(base, options);
  const cheaper = (Object.keys(base) as (keyof typeof base)[]).filter(
    (name) => costOf({ ...base, [name]: base[name] + 100 }, options).usd < usd,
  );
  expect(cheaper).toEqual([]);
  expect(costOf(base, { ...options, architecture: 'x64' }).usd).toBeGreaterThan(usd);
});
