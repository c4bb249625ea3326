import * as fc from 'fast-check';
import { ledgerLines } from '../../lib/pipeline/ledger';
import { random, shuffled } from '../../lib/random';
import { mergeRound } from '../../lib/schedule/merge';
import { mostRounds } from '../../lib/schedule/plan-round';
import type { BallResult, BatchFailure, BatchResult, MiniBatch } from '../../lib/schedule/records';
import { anyTrees, leftOpen, newRun, notRobust, planOptions, resultOf, robust, simulate } from './simulation';

/** What may become of a mini-batch, as the coordinator sees it. */
const fates = {
  'settles everyone': () => [{ result: 'right' }],
  'leaves every other ball open': () => [{ result: 'half' }],
  'leaves everyone open': () => [{ result: 'open' }],
  crashes: () => [{ error: 'Runtime.ExitError', cause: 'exit status 134' }],
  'times out': () => [{ error: 'States.Timeout', cause: 'Task timed out after 300 seconds' }],
  'runs out of memory': () => [{ error: 'Runtime.OutOfMemory', cause: 'signal: killed' }],
  'is never heard of again': () => [],
  'delivers twice': () => [{ result: 'right' }, { result: 'right' }],
  'delivers less the second time': () => [{ result: 'right' }, { result: 'open' }],
  'delivers more the second time': () => [{ result: 'half' }, { result: 'right' }],
  'delivers, and is reported dead': () => [{ result: 'right' }, { error: 'States.Timeout', cause: 'killed' }],
  'delivers in the next round': () => [{ result: 'late' }],
  'delivers without a member': () => [{ result: 'short' }],
  'delivers a member of another': () => [{ result: 'stranger' }],
} as const satisfies Record<string, () => readonly Event[]>;
type Fate = keyof typeof fates;
type Event = { readonly result: string } | { readonly error: string; readonly cause: string };

/** The truth on a ball, which no result contradicts. */
function truth({ epsilon }: MiniBatch, input: number): BallResult {
  return (7 * input + epsilon) % 5 === 0 ? notRobust(input) : robust(input);
}

function deliver(kind: string, batch: MiniBatch): BatchResult {
  const right = resultOf(batch, (input) => truth(batch, input));
  if (kind === 'half') return resultOf(batch, (input) => (input % 2 === 0 ? leftOpen(input, -1) : truth(batch, input)));
  if (kind === 'open') return resultOf(batch, (input) => leftOpen(input, -input));
  if (kind === 'short') return { ...right, balls: right.balls.slice(1) };
  if (kind === 'stranger') return { ...right, balls: right.balls.map((ball) => ({ ...ball, input: ball.input + 1 })) };
  return right;
}

interface Story {
  readonly inputs: number;
  readonly labels: number;
  readonly radii: number;
  readonly maxAttempts: number;
  readonly mode: 'batch' | 'single';
  /** Of the mini-batches in the order of their plans, over and over. */
  readonly fates: readonly Fate[];
  readonly order: number;
}

const stories: fc.Arbitrary<Story> = fc.record({
  inputs: fc.integer({ min: 1, max: 120 }),
  labels: fc.integer({ min: 1, max: 4 }),
  radii: fc.integer({ min: 1, max: 2 }),
  maxAttempts: fc.integer({ min: 1, max: 4 }),
  mode: fc.constantFrom('batch', 'single'),
  fates: fc.array(fc.constantFrom(...(Object.keys(fates) as Fate[])), { minLength: 1, maxLength: 12 }),
  order: fc.nat(),
});

/** What goes wrong in a run of the story; empty: every ball is settled exactly once, truly, and within the bounded rounds. */
function problemsOf(story: Story): string[] {
  const { inputs, labels, radii, maxAttempts, mode } = story;
  const start = newRun({ inputs, epsilons: [0.01, 0.02].slice(0, radii), maxAttempts });
  const late: BatchResult[] = [];
  const problems: string[] = [];
  let played = 0;
  const rounds = simulate(
    start,
    anyTrees(inputs, labels),
    { ...planOptions, mode, seed: story.order },
    (batches, rng) => {
      const results: BatchResult[] = late.splice(0);
      const failures: BatchFailure[] = [];
      for (const batch of batches) {
        const events: readonly Event[] = fates[story.fates[played++ % story.fates.length]]();
        for (const event of events) {
          if ('error' in event) failures.push({ id: batch.id, ...event });
          else if (event.result === 'late') late.push(deliver('right', batch));
          else results.push(deliver(event.result, batch));
        }
      }
      return { results: [...shuffled(results.length, rng)].map((i) => results[i]), failures };
    },
    mostRounds(maxAttempts),
  );
  const settled = new Map<string, number>();
  for (const { before, merged, batches } of rounds) {
    for (const { input, epsilon, status } of ledgerLines(before, merged.state)) {
      const name = `${input} at ${epsilon}`;
      settled.set(name, (settled.get(name) ?? 0) + 1);
      const right = truth({ epsilon } as MiniBatch, input).verdict;
      if (status !== right && status !== 'unknown') problems.push(`${name} is ${status} instead of ${right}`);
    }
    // The coordinator may have crashed after it merged, or a result may come again: nothing is settled anew.
    const again = mergeRound(
      merged.state,
      batches,
      batches.map((batch) => deliver('right', batch)),
      [],
    );
    const lines = [...ledgerLines(merged.state, again.state)].filter(({ status }) => status === 'unknown');
    problems.push(...lines.map(({ input }) => `${input} became unknown by a result that came again`));
  }
  for (const [name, times] of settled) if (times !== 1) problems.push(`${name} was settled ${times} times`);
  if (settled.size !== inputs * radii) problems.push(`${inputs * radii - settled.size} balls were never settled`);
  return problems;
}

test('any order of failures, crashes, time-outs and duplicates ends with every ball settled exactly once', () => {
  fc.assert(
    fc.property(stories, (story) => {
      expect(problemsOf(story)).toEqual([]);
    }),
    { numRuns: 60 },
  );
});

test('the order in which the mini-batches of a round are heard of changes nothing', () => {
  fc.assert(
    fc.property(stories, fc.nat(), (story, seed) => {
      const state = newRun({ inputs: story.inputs });
      const [round] = simulate(
        state,
        anyTrees(story.inputs, story.labels),
        planOptions,
        (batches) => ({
          results: batches.map((batch, i) => deliver(i % 2 === 0 ? 'half' : 'right', batch)),
          failures: [],
        }),
        mostRounds(3),
      );
      const results = round.batches.map((batch, i) => deliver(i % 2 === 0 ? 'half' : 'right', batch));
      const other = [...shuffled(results.length, random(seed))].map((i) => results[i]);
      expect(mergeRound(state, round.batches, other, []).state).toEqual(round.merged.state);
    }),
    { numRuns: 30 },
  );
});

test('each of these fates alone, of all mini-batches, leaves no ball without its verdict', () => {
  const story = { inputs: 40, labels: 2, radii: 2, maxAttempts: 3, mode: 'batch', order: 1 } as const;
  const wrong = (Object.keys(fates) as Fate[]).flatMap((fate) =>
    problemsOf({ ...story, fates: [fate] }).map((problem) => `${fate}: ${problem}`),
  );
  expect(wrong).toEqual([]);
});
