import * as ort from 'onnxruntime-node';
import { createBounder } from '../../lib/bounds/bounder';
import { marginRows } from '../../lib/bounds/margin';
import { createEngine, type Engine } from '../../lib/group/engine';
import { predictedClass } from '../../lib/group/predicted-class';
import { readNetwork } from '../../lib/network/read';
import { outward } from '../../lib/region/outward';
import { misclassification } from '../../lib/region/violation';
import { blocksOf } from '../../lib/search/blocks';
import { bundlesOf } from '../../lib/search/bundle';
import { createFrontier } from '../../lib/search/frontier';
import { optimise, problemFeeds } from '../../lib/search/optimise';
import { initialSlopes, problemOf, problemRows } from '../../lib/search/problem';
import type { SearcherResult } from '../../lib/search/searcher';
import { type StepCall, type StepProgram, stepPrograms } from '../../lib/search/steps';
import { randomBox } from '../support/balls';
import { exactMinimum } from '../support/brute-force';
import { randomMlp, uniform } from '../support/models';

const outputs = 3;
const inputs = 4;

/** Balls of one network with different neurons alive, and a row of the outputs on each. */
async function setting(seed: number, balls: number) {
  const { network } = readNetwork(randomMlp([inputs, 6, 4, outputs], seed));
  const blocks = blocksOf(network);
  const steps = stepPrograms(blocks);
  const bounder = createBounder(network);
  const members = [];
  for (let i = 0; i < balls; i++) {
    const box = randomBox(inputs, 0.3 + 0.1 * i, 10 * seed + i);
    const bounds = await bounder.preActivations(box);
    const problem = problemOf(blocks, outward(box), bounds);
    const functionals = marginRows(misclassification(i % outputs, outputs)).map(({ coefficients, offset }) => ({
      terms: [...coefficients.entries()],
      offset,
    }));
    const start = {
      splits: problem.splits,
      alpha: initialSlopes(problem),
      beta: new Float32Array(problem.splits.length),
    };
    const open = problemRows(blocks, problem, functionals, bounds).map((row) => ({ ...start, row }));
    // As many rows as nobody else has, so that some are padded.
    members.push({ box, problem, open: open.slice(0, 1 + (i % open.length)), feeds: problemFeeds(problem) });
  }
  await bounder.release();
  return { network, blocks, steps, members };
}

const options = { steps: 12, alphaRate: 0.25, betaRate: 0.1 };

test('bounds of balls that share calls are those that they have alone, to rounding, and below the exact minimum', async () => {
  let [apart, high] = [0, 0];
  for (const seed of [1]) {
    const { network, blocks, steps, members } = await setting(seed, 6);
    const alone = await steps.get(blocks.relus.length);
    const frontier = createFrontier(steps);
    const lanes = members.map(() => frontier.join());
    const together = await Promise.all(
      members.map(async ({ problem, feeds, open }, i) => {
        const program = await lanes[i].steps.get(blocks.relus.length);
        const results = await optimise(program, problem, feeds, open, { ...options, steps: 6 + 2 * i });
        lanes[i].leave();
        return results;
      }),
    );
    for (const [i, { box, problem, feeds, open }] of members.entries()) {
      const own = await optimise(alone, problem, feeds, open, { ...options, steps: 6 + 2 * i });
      const rows = marginRows(misclassification(i % outputs, outputs));
      for (const [r, { bound }] of own.entries()) {
        if (!(Math.abs(together[i][r].bound - bound) < 1e-4)) apart++;
        if (!(together[i][r].bound <= (await exactMinimum(network, box, rows[r].coefficients)))) high++;
      }
    }
    await steps.release();
  }
  expect({ apart, high }).toEqual({ apart: 0, high: 0 });
});

/** The steps of all calls, made together in bundles, with something done to a bundle's input before. */
async function bundledBounds(
  seed: number,
  spoil?: (call: StepCall) => StepCall,
): Promise<{ own: number[]; joint: number[] }> {
  const { blocks, steps, members } = await setting(seed, 5);
  const calls: StepCall[] = [];
  const keeping: StepProgram = { run: async (call) => void calls.push(call) };
  for (const { problem, feeds, open } of members)
    await optimise(keeping, problem, feeds, open, { ...options, steps: 1 });
  const program = await steps.get(blocks.relus.length);
  const boundsOf = () => calls.flatMap(({ into }) => [...(into.bound.data as Float32Array)]);
  for (const call of calls) await program.run(call, true);
  const own = boundsOf();
  for (const { into } of calls) (into.bound.data as Float32Array).fill(Number.NaN);
  const session = await steps.batched(blocks.relus.length, false);
  const { bundles, alone } = bundlesOf(session, spoil ? calls.map(spoil) : calls);
  expect(bundles.length).toBeGreaterThan(0);
  for (const bundle of bundles) await bundle.run(() => true);
  for (const call of alone) await program.run(call, true);
  await steps.release();
  return { own, joint: boundsOf() };
}

const distance = ({ own, joint }: { own: number[]; joint: number[] }): number =>
  own.reduce((most, bound, i) => Math.max(most, Math.abs(bound - joint[i]) || 0, Number.isNaN(joint[i]) ? 1 : 0), 0);

test('a bundle gives what single calls give; one with an error term lost, or a multiplier of another ball, does not', async () => {
  expect(distance(await bundledBounds(7))).toBeLessThan(1e-5);
  const doubled = (tensor: ort.Tensor): ort.Tensor =>
    new ort.Tensor(
      'float32',
      (tensor.data as Float32Array).map((value) => 2 * value + 0.1),
      tensor.dims,
    );
  const spoiled = (which: 'matrices' | 'tables', name: string) => (call: StepCall) => ({
    ...call,
    [which]: { ...call[which], [name]: doubled(call[which][name]) },
  });
  for (const spoil of [
    spoiled('matrices', 'w1_0'),
    spoiled('matrices', 'b0'),
    spoiled('matrices', 'e1'),
    spoiled('tables', 'm0'),
    spoiled('tables', 't1'),
    spoiled('tables', 's0'),
  ])
    expect(distance(await bundledBounds(7, spoil))).toBeGreaterThan(1e-3);
});

test('a place that was left is taken by another ball without a trace of the one before', async () => {
  const { blocks, steps, members } = await setting(11, 6);
  const calls: StepCall[] = [];
  const keeping: StepProgram = { run: async (call) => void calls.push(call) };
  for (const { problem, feeds, open } of members)
    await optimise(keeping, problem, feeds, open, { ...options, steps: 1 });
  const program = await steps.get(blocks.relus.length);
  const session = await steps.batched(blocks.relus.length, false);
  let taken = 0;
  for (const call of calls) {
    const others = calls.filter((other) => other !== call);
    for (const bundle of bundlesOf(session, others).bundles) {
      bundle.keep(new Set(bundle.calls.filter((other) => other !== undefined).slice(1)));
      if (!bundle.admit(call)) continue;
      taken++;
      await program.run(call, true);
      const own = [...(call.into.bound.data as Float32Array)];
      await bundle.run(() => true);
      const joint = [...(call.into.bound.data as Float32Array)];
      expect(distance({ own, joint })).toBeLessThan(1e-5);
    }
  }
  expect(taken).toBeGreaterThan(0);
  await steps.release();
});

const effortless = { deadline: Number.POSITIVE_INFINITY };

/** Searches of balls around one point, the larger the harder. */
async function searches(engine: Engine, seed: number) {
  const centre = uniform(seed)(inputs);
  const label = predictedClass(await engine.original.scores(Float32Array.from(centre), 1));
  const violation = misclassification(label, outputs);
  return Array.from({ length: 8 }, (_, i) => {
    const bound = (sign: number) => Float64Array.from(centre, (c) => c + sign * (0.2 + 0.25 * i));
    return { box: { lower: bound(-1), upper: bound(1) }, violation, rows: marginRows(violation) };
  });
}

test('searches with one frontier end as they end alone', async () => {
  const kinds = { proven: 0, witness: 0, open: 0, transferred: 0 };
  let different = 0;
  for (const seed of [21, 22]) {
    const engine = await createEngine(randomMlp([inputs, 10, 8, outputs], seed), `net ${seed}`);
    const all = await searches(engine, seed);
    const frontier = engine.searcher.frontier();
    const together = await Promise.all(
      all.map(async ({ box, violation, rows }) => {
        const lane = frontier.join();
        const result = await engine.searcher.search(box, violation, rows, { ...effortless, lane });
        lane.leave();
        return result;
      }),
    );
    for (const [i, { box, violation, rows }] of all.entries()) {
      const alone: SearcherResult = await engine.searcher.search(box, violation, rows, effortless);
      kinds[alone.kind]++;
      if (alone.kind !== together[i].kind) different++;
    }
    await engine.release();
  }
  expect(different).toBe(0);
  expect(kinds.open).toBe(0);
  expect(Math.min(kinds.proven, kinds.witness)).toBeGreaterThan(3);
});

test('one search out of time, and one that fails, leave the others to go on', async () => {
  const engine = await createEngine(randomMlp([inputs, 10, 8, outputs], 31), 'net');
  const all = await searches(engine, 31);
  const frontier = engine.searcher.frontier();
  const ends = await Promise.allSettled(
    all.map(async ({ box, violation, rows }, i) => {
      const lane = frontier.join();
      try {
        if (i === 3) throw new Error('a worker of its own kind');
        const deadline = i === 5 ? 0 : Number.POSITIVE_INFINITY;
        return (await engine.searcher.search(box, violation, rows, { deadline, lane })).kind;
      } finally {
        lane.leave();
      }
    }),
  );
  await engine.release();
  expect(ends[3].status).toBe('rejected');
  const others = ends
    .filter((_, i) => i !== 3 && i !== 5)
    .map((end) => (end.status === 'fulfilled' ? end.value : 'failed'));
  expect(others.filter((kind) => kind !== 'proven' && kind !== 'witness')).toEqual([]);
});
