import * as fc from 'fast-check';
import type { Random } from '../../lib/random';
import { unpackIds } from '../../lib/schedule/packed';
import { mostRounds } from '../../lib/schedule/plan-round';
import { type BallResult, type BatchResult, type MiniBatch, memberLabels } from '../../lib/schedule/records';
import { ballAt, entryAt, queues, type RunState, statuses } from '../../lib/schedule/state';
import { summarise } from '../../lib/schedule/summary';
import {
  anyTrees,
  leftOpen,
  newRun,
  notRobust,
  planOptions,
  type RoundResults,
  resultOf,
  robust,
  type SimulatedRound,
  simulate,
} from './simulation';

/** How likely it is that something goes wrong, in percent. */
interface Weather {
  readonly open: number;
  readonly crash: number;
  readonly silence: number;
  readonly wrongMembers: number;
  readonly duplicate: number;
  readonly stray: number;
}

const weathers: fc.Arbitrary<Weather> = fc.record({
  open: fc.constantFrom(0, 5, 50, 100),
  crash: fc.constantFrom(0, 10, 100),
  silence: fc.constantFrom(0, 10),
  wrongMembers: fc.constantFrom(0, 20),
  duplicate: fc.constantFrom(0, 30),
  stray: fc.constantFrom(0, 20),
});

/** The truth on a ball, which no result ever contradicts. */
function truth(batch: MiniBatch, input: number, cpuSeconds: number): BallResult {
  return (input + batch.epsilon) % 3 === 0 ? notRobust(input, cpuSeconds) : robust(input, cpuSeconds);
}

function stormy(weather: Weather): (batches: MiniBatch[], rng: Random) => RoundResults {
  return (batches, rng) => {
    const happens = (percent: number): boolean => rng.uniform() * 100 < percent;
    const honest = (batch: MiniBatch): BatchResult => {
      const result = resultOf(batch, (input) =>
        happens(weather.open) ? leftOpen(input, -rng.uniform()) : truth(batch, input, rng.uniform()),
      );
      const open = result.balls.filter((ball) => ball.verdict === 'open');
      return open.length > 0 && happens(50) ? { ...result, suspect: open[rng.int(open.length)].input } : result;
    };
    const spoilt = (result: BatchResult): BatchResult => {
      const [first, ...rest] = result.balls;
      const balls = [rest, [first, ...result.balls], [{ ...first, input: first.input + 1 }, ...rest]][rng.int(3)];
      return { ...result, balls };
    };
    const results: BatchResult[] = [];
    const failures: RoundResults['failures'] = [];
    for (const batch of batches) {
      if (happens(weather.silence)) continue;
      if (happens(weather.crash)) {
        failures.push({ id: batch.id, error: 'States.Timeout', cause: 'killed' });
        if (happens(80)) continue;
      }
      results.push(happens(weather.wrongMembers) ? spoilt(honest(batch)) : honest(batch));
      if (happens(weather.duplicate)) results.push(honest(batch));
      if (happens(weather.stray)) results.push({ ...honest(batch), id: `77-${batch.id}` });
    }
    for (let i = results.length - 1; i > 0; i--) {
      const j = rng.int(i + 1);
      [results[i], results[j]] = [results[j], results[i]];
    }
    return { results, failures };
  };
}

/** What is wrong with the plan of a round. */
function planProblems({ before, batches, long }: SimulatedRound, labels: number, maxAttempts: number): string[] {
  const problems: string[] = [];
  const seen = new Set<number>();
  for (const batch of batches) {
    const inputs = unpackIds(batch.inputs);
    if (batch.seconds > (long ? 880 : 280)) problems.push(`${batch.id} may take ${batch.seconds} s`);
    if (batch.size !== inputs.length || batch.size < 1) problems.push(`${batch.id} has size ${batch.size}`);
    if (batch.kind === 'suspect' && batch.size > 1) problems.push(`${batch.id} is not alone`);
    if (batch.attempt > maxAttempts) problems.push(`${batch.id} is attempt ${batch.attempt}`);
    const own = memberLabels(batch);
    for (const [i, input] of inputs.entries()) {
      const ball = ballAt(before, input, batch.epsilon);
      if (queues[before.queue[ball]] !== batch.kind) problems.push(`${ball} is planned as ${batch.kind}`);
      if (input % labels !== own[i]) problems.push(`${ball} is under a wrong label`);
      if (seen.has(ball)) problems.push(`${ball} is planned twice`);
      if (before.status[ball] !== 0) problems.push(`${ball} is planned although settled`);
      if (batch.attempt !== before.attempts[ball] + 1) problems.push(`${ball} has a wrong attempt`);
      seen.add(ball);
    }
  }
  return problems;
}

/** Which balls have not got the verdict they should have. */
function verdictProblems(end: RunState, misclassified: Uint8Array): string[] {
  const problems: string[] = [];
  for (let ball = 0; ball < end.status.length; ball++) {
    const input = ball % end.inputs;
    const isRefuted = (input + Math.floor(ball / end.inputs)) % 3 === 0;
    const right = misclassified[input] ? 'misclassified' : isRefuted ? 'not-robust' : 'robust';
    const { status, reason, witness, batch } = entryAt(end, ball);
    const isUnknown = status === 'unknown' && right !== 'misclassified' && reason !== undefined;
    if (status !== right && !isUnknown) problems.push(`${ball} is ${status} (${reason}) instead of ${right}`);
    if ((witness !== undefined) !== (status === 'not-robust')) problems.push(`${ball} has witness ${witness}`);
    if ((batch === undefined) !== (status === 'misclassified')) problems.push(`${ball} was settled by ${batch}`);
  }
  return problems;
}

describe('a whole run', () => {
  test('ends within the bounded rounds with one true verdict for every ball, whatever goes wrong', () => {
    const runs = fc.record({
      weather: weathers,
      inputs: fc.integer({ min: 1, max: 200 }),
      labels: fc.integer({ min: 1, max: 5 }),
      radii: fc.integer({ min: 1, max: 3 }),
      maxAttempts: fc.integer({ min: 1, max: 4 }),
      seed: fc.nat(),
      workers: fc.integer({ min: 1, max: 4 }),
      mode: fc.constantFrom('batch' as const, 'single' as const),
      secondsPerBall: fc.constantFrom(0.5, 20, 300, 2000),
    });
    fc.assert(
      fc.property(runs, ({ weather, inputs, labels, radii, maxAttempts, ...rest }) => {
        const epsilons = [0.01, 0.02, 0.03].slice(0, radii);
        const misclassified = Uint8Array.from({ length: inputs }, (_, i) => (i % 11 === 0 ? 1 : 0));
        const start = newRun({ inputs, epsilons, maxAttempts, misclassified });
        const options = { ...planOptions, ...rest };
        const rounds = simulate(start, anyTrees(inputs, labels), options, stormy(weather), mostRounds(maxAttempts));
        expect(rounds.flatMap((round) => planProblems(round, labels, maxAttempts))).toEqual([]);
        const end = rounds.at(-1)?.merged.state ?? start;
        expect(verdictProblems(end, misclassified)).toEqual([]);
        const progress = summarise(end);
        expect(progress).toMatchObject({ balls: inputs * radii, settled: inputs * radii, open: 0 });
        for (const radius of progress.radii) {
          expect(statuses.reduce((sum, status) => sum + radius[status], 0)).toBe(inputs);
        }
        if (weather.open === 0 && weather.crash + weather.silence + weather.wrongMembers === 0) {
          expect(progress.radii.every((radius) => radius.unknown === 0)).toBe(true);
        }
      }),
      { numRuns: 100 },
    );
  });

  test('one ball that kills its worker takes no other ball down', () => {
    const deadly = 17;
    const work = (batches: MiniBatch[]): RoundResults => ({
      results: batches
        .filter((batch) => !unpackIds(batch.inputs).includes(deadly))
        .map((batch) => resultOf(batch, (input) => truth(batch, input, 0.1))),
      failures: [],
    });
    const rounds = simulate(newRun({ inputs: 400 }), anyTrees(400, 1), planOptions, work, mostRounds(3));
    const end = rounds.at(-1)!.merged.state;
    const unknown = Array.from({ length: 400 }, (_, ball) => ball).filter(
      (ball) => entryAt(end, ball).status === 'unknown',
    );
    expect(unknown).toEqual([deadly]);
    expect(entryAt(end, deadly)).toMatchObject({ reason: 'crash' });
    const sizes = rounds.flatMap(({ batches }) =>
      batches.filter((batch) => unpackIds(batch.inputs).includes(deadly)).map((batch) => batch.size),
    );
    expect(sizes.length).toBe(3);
    expect(sizes[1]).toBeLessThanOrEqual(Math.max(1, sizes[0] / 2));
    expect(sizes[2]).toBe(1);
  });
});
