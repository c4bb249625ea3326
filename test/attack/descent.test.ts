import { attack, attackFrom } from '../../lib/attack/pgd';
import { replayOn } from '../../lib/attack/replay';
import { createEngine, type Engine } from '../../lib/group/engine';
import { floatTensor } from '../../lib/network/tensor';
import { contains } from '../../lib/region/box';
import { misclassification, violates } from '../../lib/region/violation';
import { witnessTrials } from '../../lib/search/witness';
import { modelBytes, node } from '../support/models';

const inputs = 50;

/**
 * Two classes on [0, 1]^50 by the mean of the inputs: the margin of class 0 is 1 up to a mean of 0.7, below 0 from 0.75 to 0.91, and above 0 again
 * up to the corner. Random starts have means near 0.5, where the gradient is 0; the minimiser of the relaxation is the corner.
 */
function hidden(): Uint8Array {
  const perInput = 1 / (inputs * 0.3);
  return modelBytes({
    nodes: [
      node('Gemm', ['x', 'w', 'b'], 'z', { transB: 1 }),
      node('Relu', ['z'], 'h'),
      node('Gemm', ['h', 'v', 'c'], 'y', { transB: 1 }),
    ],
    initializers: [
      floatTensor('w', [2, inputs], new Float32Array(2 * inputs).fill(perInput)),
      floatTensor('b', [2], Float32Array.of(-0.7 / 0.3, -0.7 / 0.3 - 0.5)),
      floatTensor('v', [2, 2], Float32Array.of(-6, 16, 0, 0)),
      floatTensor('c', [2], Float32Array.of(1, 0)),
    ],
    input: ['batch', inputs],
    output: ['batch', 2],
  });
}

const target = {
  box: { lower: new Float64Array(inputs), upper: new Float64Array(inputs).fill(1) },
  violation: misclassification(0, 2),
  seed: 3,
};
const corner = new Float32Array(inputs).fill(1);

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine(hidden(), 'net');
});
afterAll(() => engine.release());

test('what random starts never find is found from a minimiser that is none itself', async () => {
  const { bounder, original } = engine;
  const confirm = replayOn(original, [target]);
  const options = { restarts: 20, steps: 100, pointsPerCall: 64 };
  expect(await attack(bounder.programs, [target], confirm, options)).toEqual([undefined]);
  expect(violates(target.violation, await original.scores(corner, 1))).toBe(false);
  const found = await attackFrom(bounder.programs, target, [corner], confirm, { steps: 10 });
  expect(found).toBeDefined();
  expect(contains(target.box, found!)).toBe(true);
  expect(violates(target.violation, await original.scores(found!, 1))).toBe(true);
  expect(await attackFrom(bounder.programs, target, [corner], confirm, { steps: 10 })).toEqual(found);
});

test('starts outside the box are clamped to it, and after the deadline nothing is tried', async () => {
  const { bounder, original } = engine;
  const confirm = replayOn(original, [target]);
  const far = new Float32Array(inputs).fill(7);
  const found = await attackFrom(bounder.programs, target, [far], confirm, { steps: 10 });
  expect(found && contains(target.box, found)).toBe(true);
  const late = { steps: 10, deadline: Date.now() - 1 };
  expect(await attackFrom(bounder.programs, target, [corner], confirm, late)).toBeUndefined();
});

test('a search goes on from its minimisers by their number alone', async () => {
  const problem = { centre: new Float64Array(inputs).fill(0.5), radius: new Float64Array(inputs).fill(0.5) };
  const trials = async (): Promise<(Float32Array | undefined)[]> => {
    const tryWitness = witnessTrials(
      engine.bounder.programs,
      engine.original,
      target,
      Number.POSITIVE_INFINITY,
    )(problem);
    const found: (Float32Array | undefined)[] = [];
    for (let i = 0; i < 16; i++) found.push(await tryWitness(corner));
    return found;
  };
  const found = await trials();
  expect([...found.keys()].filter((i) => found[i])).toEqual([7, 15]);
  expect(await trials()).toEqual(found);
});
