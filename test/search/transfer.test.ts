import { createBounder } from '../../lib/bounds/bounder';
import { evaluate } from '../../lib/network/evaluate';
import { readNetwork } from '../../lib/network/read';
import type { Box } from '../../lib/region/box';
import { outward } from '../../lib/region/outward';
import { blocksOf } from '../../lib/search/blocks';
import { initialSlopes, type LayerBounds, type Problem, problemOf, problemRows } from '../../lib/search/problem';
import { coverOf, type Proof, type ProofLeaf, recorder } from '../../lib/search/proof';
import { type RegionOptions, searchRegions } from '../../lib/search/regions';
import { stepPrograms } from '../../lib/search/steps';
import type { SubProblem } from '../../lib/search/sub-problem';
import { transferBounds, transferProof } from '../../lib/search/transfer';
import { pointsOf, randomBox } from '../support/balls';
import { exactMinimum } from '../support/brute-force';
import { randomMlp } from '../support/models';

const difference = [1, -1];
const deadline = Number.POSITIVE_INFINITY;
const options: RegionOptions = {
  deadline,
  frontier: 10_000,
  batch: 16,
  levels: [
    { tightenSteps: 0, leaves: 0, limit: 4 },
    { tightenSteps: 4, leaves: 16, limit: 1000 },
  ],
};
const nothing = () => async () => undefined;

/** The box moved a little, and made smaller or larger. */
function near({ lower, upper }: Box, seed: number): Box {
  const moved = randomBox(lower.length, 0.1, seed);
  return {
    lower: lower.map((low, i) => low + 0.1 * moved.lower[i]),
    upper: upper.map((high, i) => Math.max(high + 0.1 * moved.upper[i], lower[i] + 0.1 * moved.lower[i])),
  };
}

/** A network with a proof of one ball, and how to try it on another. */
async function pairOf(seed: number) {
  const { network } = readNetwork(randomMlp([3, 6, 5, 2], seed));
  const blocks = blocksOf(network);
  const steps = stepPrograms(blocks);
  const bounder = createBounder(network);
  const box = randomBox(3, 1.2, seed);
  const other = near(box, seed);
  const [bounds, otherBounds]: LayerBounds[][] = [
    await bounder.preActivations(box),
    await bounder.preActivations(other),
  ];
  await bounder.release();
  const functionalsOf = (offset: number) => [{ terms: [...difference.entries()], offset }];
  const record = recorder(1);
  const functionals = functionalsOf(0.05 - (await exactMinimum(network, box, difference)));
  const own = { ...options, recorder: record };
  const { kind } = await searchRegions(blocks, steps, outward(box), bounds, functionals, nothing, own);
  const proof = kind === 'proven' ? record.proof(bounds, 10_000) : undefined;
  if (proof === undefined) throw new Error(`ball ${seed} is ${kind}`);
  const least = await exactMinimum(network, other, difference);
  const transfer = (from: Proof, distance: number) =>
    transferProof(blocks, steps, outward(other), otherBounds, functionalsOf(distance - least), nothing, from, options);
  const tightened = (from: Proof) =>
    transferBounds(blocks, steps, outward(other), otherBounds, from.neurons, { deadline });
  /** Of a ball whose least margin is below 0, with these bounds: nothing may be proven. */
  const disproven = (from: Proof, own: readonly LayerBounds[]) =>
    transferProof(blocks, steps, outward(other), own, functionalsOf(-1e-3 - least), nothing, from, options);
  return { network, blocks, steps, other, otherBounds, proof, transfer, disproven, tightened };
}

const seeds = [16, 20, 28];
const pairs = new Map<number, Awaited<ReturnType<typeof pairOf>>>();
const pair = (seed: number) => pairs.get(seed) as Awaited<ReturnType<typeof pairOf>>;
beforeAll(async () => {
  for (const seed of seeds) pairs.set(seed, await pairOf(seed));
});
afterAll(async () => {
  for (const { steps } of pairs.values()) await steps.release();
});

type Change = (leaves: readonly ProofLeaf[]) => readonly ProofLeaf[];

/** Every tree of a proof changed. */
const changed = (proof: Proof, change: Change): Proof => ({
  ...proof,
  neurons: proof.neurons.map((list) => list.map((own) => ({ ...own, leaves: change(own.leaves) }))),
  margins: proof.margins.map(change),
});

/** Proofs that prove something else, or nothing: what is recorded is not trusted. */
const changes: { readonly [name: string]: Change } = {
  'as recorded': (leaves) => leaves,
  'every other leaf lost': (leaves) => leaves.filter((_, i) => i % 2 === 0),
  'all leaves lost': () => [],
  'signs of the last cuts exchanged': (leaves) =>
    leaves.map(({ path, values }) => ({
      path: path.map((cut, i) => (i === path.length - 1 ? { ...cut, sign: cut.sign > 0 ? -1 : 1 } : cut)),
      values,
    })),
  'multipliers of the wrong sign, and large': (leaves) =>
    leaves.map(({ path, values }) => ({
      path,
      values: { ...values, multiplier: values.multiplier.map((m) => -100 * m) },
    })),
};

test('a transferred proof proves a ball only where its minimum is above 0, whatever it says', async () => {
  const seen = { proven: 0, wrong: 0, tightened: 0 };
  for (const seed of seeds) {
    const { network, other, otherBounds, proof, transfer, tightened } = pair(seed);
    const relus = network.nodes.flatMap((node) => (node.kind === 'relu' ? [node.from] : []));
    const values = pointsOf(other, 60, seed).map((x) => evaluate(network, x));
    for (const [name, change] of Object.entries(changes)) {
      const from = changed(proof, change);
      if ((await transfer(from, 0.05)).kind === 'proven' && name === 'as recorded') seen.proven++;
      const below = await transfer(from, -1e-3);
      if (below.kind !== 'open' || below.rest.regions[0].rows[0] !== 0) seen.wrong++;
      for (const [k, { lower, upper }] of (await tightened(from)).entries()) {
        for (let j = 0; j < lower.length; j++) {
          if (values.some(({ [relus[k]]: z }) => z[j] < lower[j] || z[j] > upper[j])) seen.wrong++;
          if (lower[j] > otherBounds[k].lower[j] || upper[j] < otherBounds[k].upper[j]) seen.tightened++;
        }
      }
    }
  }
  expect(seen.wrong).toBe(0);
  expect(seen.proven).toBeGreaterThan(1);
  expect(seen.tightened).toBeGreaterThan(5);
});

test('a tree of which no part is possible, since bounds exclude each other on every one, leaves the ball open', async () => {
  const seen = { empty: 0, open: 0 };
  for (const seed of seeds) {
    const { blocks, other, otherBounds, proof, disproven } = pair(seed);
    // Each layer by itself may be so; the second one cannot follow from the first.
    const apart = otherBounds.map(({ lower, upper }, k) =>
      k === 1 ? { lower: lower.map((low) => low + 1000), upper: upper.map((high) => high + 1000) } : { lower, upper },
    );
    const problem = problemOf(blocks, outward(other), apart);
    const [row] = problemRows(blocks, problem, [{ terms: [[0, 1]], offset: 0 }], apart);
    const beta = new Float32Array(problem.splits.length);
    const root = { row, splits: problem.splits, alpha: initialSlopes(problem), beta };
    const divided = otherBounds[0].lower.findIndex((low, j) => low < 0 && otherBounds[0].upper[j] > 0);
    const { values } = proof.margins[0][0];
    const halves = ([1, -1] as const).map(
      (sign): ProofLeaf => ({ path: [{ layer: 0, neuron: divided, at: 0, sign }], values }),
    );
    if (coverOf(problem, apart, root, halves).length === 0) seen.empty++;
    const from: Proof = { ...proof, level: 0, margins: proof.margins.map(() => halves) };
    const result = await disproven(from, apart);
    if (result.kind === 'open' && result.rest.regions[0].rows[0] === 0 && result.rest.proven === undefined) seen.open++;
  }
  expect(seen).toEqual({ empty: seeds.length, open: seeds.length });
});

/** How many points of a ball are in none of the parts. */
async function uncovered(
  parts: (
    problem: Problem,
    bounds: readonly LayerBounds[],
    root: SubProblem,
    leaves: readonly ProofLeaf[],
  ) => SubProblem[],
): Promise<number> {
  let missing = 0;
  for (const seed of seeds) {
    const { network, blocks, other, otherBounds, proof } = pair(seed);
    const problem = problemOf(blocks, outward(other), otherBounds);
    const [row] = problemRows(blocks, problem, [{ terms: [[0, 1]], offset: 0 }], otherBounds);
    const neurons = problem.splits.length;
    const root = { row, splits: problem.splits, alpha: initialSlopes(problem), beta: new Float32Array(neurons) };
    const cover = parts(problem, otherBounds, root, proof.margins[0]);
    const relus = network.nodes.flatMap((node) => (node.kind === 'relu' ? [node.from] : []));
    const tolerance = 1e-5;
    for (const point of pointsOf(other, 300, seed)) {
      const values = evaluate(network, point);
      const z = problem.layers.flatMap(({ alive }, k) => Array.from(alive, (j) => values[relus[k]][j]));
      const isIn = ({ splits, narrowed }: SubProblem): boolean =>
        z.every(
          (value, n) =>
            splits[n] * value >= -tolerance &&
            (narrowed === undefined ||
              (value >= narrowed.lower[n] - tolerance && value <= narrowed.upper[n] + tolerance)),
        );
      if (!cover.some(isIn)) missing++;
    }
  }
  return missing;
}

test('the parts of a transferred tree cover the ball', async () => {
  expect(await uncovered(coverOf)).toBe(0);
  for (const change of Object.values(changes)) {
    expect(await uncovered((problem, bounds, root, leaves) => coverOf(problem, bounds, root, change(leaves)))).toBe(0);
  }
});

test('a lost part, and a cut of which one side is dropped, would be told from a cover', async () => {
  expect(await uncovered((...question) => coverOf(...question).slice(1))).toBeGreaterThan(0);
  const isBelow = ({ path }: SubProblem): boolean => {
    let first = path;
    while (first?.before !== undefined) first = first.before;
    return first?.sign !== 1;
  };
  expect(await uncovered((...question) => coverOf(...question).filter(isBelow))).toBeGreaterThan(0);
});
