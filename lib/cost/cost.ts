import { z } from 'zod';
import { memoryMb, planningChunks } from './deployment';
import { prices as currentPrices, type Prices } from './prices';
import type { Usage } from './usage';

const itemSchema = z.strictObject({
  service: z.enum(['Lambda', 'Step Functions', 'S3']),
  /** What is charged, e.g. `GB-s of verify`. */
  item: z.string(),
  quantity: z.number().nonnegative(),
  usd: z.number().nonnegative(),
});
export type CostItem = z.infer<typeof itemSchema>;

/** What a run cost, by service. */
export const costSchema = z.strictObject({
  /** `local`: nothing was charged; this is what the same calls would have cost on AWS. */
  kind: z.enum(['aws', 'local']),
  region: z.string(),
  /** Of the prices. */
  date: z.string(),
  architecture: z.enum(['arm64', 'x64']),
  items: z.array(itemSchema),
  usd: z.number().nonnegative(),
  /** Of the balls that were verified. */
  usdPerBall: z.number().nonnegative(),
});
export type Cost = z.infer<typeof costSchema>;

export interface CostOptions {
  /** Inputs and balls of the run. */
  readonly inputs: number;
  readonly balls: number;
  /** Mini-batches at the same time. */
  readonly workers: number;
  readonly kind: Cost['kind'];
  readonly architecture: Cost['architecture'];
  readonly prices?: Prices;
}

/**
 * Seconds of the work that no mini-batch is charged with. Measured by `npm run bench -- scale` (plan, coordinate, report, for each ball or
 * mini-batch) on the machine named in bench/README.md, and rounded up; a cold start is the start of Node.js and of ONNX Runtime with a small model.
 */
export const overhead = {
  coldStart: 1.5,
  planBall: 0.0005,
  coordinateRound: 0.5,
  coordinateBatch: 0.002,
  coordinateBall: 0.00001,
  reportBall: 0.00002,
} as const;

/** Transitions of the parent: Start, Plan, Route, Report; and More?, the map, Coordinate for each round. */
const transitions = { run: 5, round: 3 };
/** Requests of the parent, plan, report; of a round; of a Lambda that starts. */
const requests = { run: 20, round: 8, coldGets: 3 };
/** Keys that one LIST names. */
const listed = 1000;
/** Express executions that only wait for a Lambda hold one chunk of 64 MB. */
const expressGb = 64 / 1024;

/**
 * What a run costs, from what it used: GB-seconds and requests of Lambda, transitions and Express executions of Step Functions, requests of
 * S3. Plan, coordinate and report, some per cent of the sum, come in by `overhead` rather than by a clock, so that the same storage always
 * gives the same cost.
 */
export function costOf(usage: Usage, options: CostOptions): Cost {
  const { prices = currentPrices, architecture, inputs, balls, workers, kind } = options;
  const chunks = inputs > planningChunks.from ? Math.ceil(inputs / planningChunks.chunkInputs) : 0;
  const calls = usage.shortCalls + usage.longCalls;
  const coldStarts = (made: number): number => overhead.coldStart * Math.min(workers, usage.largestRound, made);
  const seconds = {
    plan: overhead.coldStart * (1 + chunks) + overhead.planBall * inputs,
    verify: usage.shortSeconds + coldStarts(usage.shortCalls),
    refine: usage.longSeconds + coldStarts(usage.longCalls),
    coordinate:
      overhead.coordinateRound * usage.rounds +
      overhead.coordinateBatch * calls +
      overhead.coordinateBall * balls * usage.rounds,
    report: overhead.coldStart + overhead.reportBall * balls,
  };
  const items: CostItem[] = [];
  const charge = (service: CostItem['service'], item: string, quantity: number, price: number): void => {
    items.push({ service, item, quantity, usd: quantity * price });
  };
  for (const [name, spent] of Object.entries(seconds)) {
    const gb = memoryMb[name as keyof typeof memoryMb] / 1024;
    charge('Lambda', `GB-s of ${name}`, spent * gb, prices.lambdaGbSecond[architecture]);
  }
  charge('Lambda', 'requests', calls + usage.rounds + chunks + 2, prices.lambdaRequest);
  const standard = transitions.run + transitions.round * usage.rounds + usage.longCalls + chunks;
  charge('Step Functions', 'Standard transitions', standard, prices.standardTransition);
  charge('Step Functions', 'Express executions', usage.shortCalls, prices.expressRequest);
  charge('Step Functions', 'Express GB-s', usage.shortSeconds * expressGb, prices.expressGbSecond);
  const puts = requests.run + requests.round * usage.rounds + calls + calls / listed + usage.witnesses + 2 * chunks;
  charge('S3', 'PUT and LIST', Math.ceil(puts), prices.s3Put);
  const cold = requests.coldGets * Math.min(workers, usage.largestRound);
  // Each call looks for its result and reads its members; coordinate reads the result.
  charge('S3', 'GET', requests.run + requests.round * usage.rounds + 2 * calls + usage.members + cold, prices.s3Get);
  const usd = items.reduce((sum, item) => sum + item.usd, 0);
  const { region, date } = prices;
  return { kind, region, date, architecture, items, usd, usdPerBall: balls > 0 ? usd / balls : 0 };
}

/** Dollars of each service, in the order of the items. */
export function costByService({ items }: Cost): Map<CostItem['service'], number> {
  const sums = new Map<CostItem['service'], number>();
  for (const { service, usd } of items) sums.set(service, (sums.get(service) ?? 0) + usd);
  return sums;
}
