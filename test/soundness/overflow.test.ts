import { createBounder } from '../../lib/bounds/bounder';
import { createJointBounder } from '../../lib/bounds/joint/joint';
import { evaluate } from '../../lib/network/evaluate';
import type { Network } from '../../lib/network/network';
import type { NodeProto, TensorProto } from '../../lib/network/protobuf';
import { readNetwork } from '../../lib/network/read';
import { floatTensor } from '../../lib/network/tensor';
import { modelBytes, node } from '../support/models';

/**
 * z1 = 3.39e37 x + 3.41e37, z2 = 2e36 - 10 relu(z1), for each of two inputs, and scores 1e-20 relu(z2_0) and 5e15. Near x = -1 all values are far below the largest
 * float32 number, but the constant of a backward row for -z2, 10 * 3.41e37, is not, and its product with the input, -3.39e38, is: the row sums up to +Infinity.
 */
const weights = { w1: 3.39e37, b1: 3.41e37, w2: -10, b2: 2e36 };
const floats = (name: string, dims: number[], values: number[]): TensorProto =>
  floatTensor(name, dims, Float32Array.from(values));
const last = [floats('w3', [2, 2], [1e-20, 0, 0, 0]), floats('b3', [2], [0, 5e15])];

function network(nodes: NodeProto[], initializers: TensorProto[], input: (number | string)[]): Network {
  const bytes = modelBytes({ nodes, initializers: [...initializers, ...last], input, output: ['batch', 2] });
  return readNetwork(bytes).network;
}

const { w1, b1, w2, b2 } = weights;
const convolutional = network(
  [
    node('Conv', ['x', 'w1', 'b1'], 'z1'),
    node('Relu', ['z1'], 'h1'),
    node('Conv', ['h1', 'w2', 'b2'], 'z2'),
    node('Relu', ['z2'], 'h2'),
    node('Flatten', ['h2'], 'flat'),
    node('Gemm', ['flat', 'w3', 'b3'], 'y', { transB: 1 }),
  ],
  [
    floats('w1', [1, 1, 1, 1], [w1]),
    floats('b1', [1], [b1]),
    floats('w2', [1, 1, 1, 1], [w2]),
    floats('b2', [1], [b2]),
  ],
  ['batch', 1, 1, 2],
);
const dense = network(
  [
    node('Gemm', ['x', 'w1', 'b1'], 'z1', { transB: 1 }),
    node('Relu', ['z1'], 'h1'),
    node('Gemm', ['h1', 'w2', 'b2'], 'z2', { transB: 1 }),
    node('Relu', ['z2'], 'h2'),
    node('Gemm', ['h2', 'w3', 'b3'], 'y', { transB: 1 }),
  ],
  [
    floats('w1', [2, 2], [w1, 0, 0, w1]),
    floats('b1', [2], [b1, b1]),
    floats('w2', [2, 2], [w2, 0, 0, w2]),
    floats('b2', [2], [b2, b2]),
  ],
  ['batch', 2],
);

const radius = 0.0035;
const box = { lower: Float64Array.of(-1 - radius, -1 - radius), upper: Float64Array.of(-1 + radius, -1 + radius) };
const query = { box, rows: [{ coefficients: Float64Array.of(-1, 1), offset: 0 }] };

/** The margin at the lower corner, which is a counterexample. */
function marginOf(net: Network): number {
  const [a, b] = evaluate(net, box.lower)[net.output];
  return b - a;
}

test.each([
  ['convolutions', convolutional],
  ['dense layers', dense],
])('a row that overflows to +Infinity says nothing about a neuron: %s', async (_, net) => {
  const bounders = [true, false].map((stages) => createBounder(net, { stages }));
  const proven: number[] = [];
  for (const bounder of bounders) {
    const [{ rows }] = await bounder.bound([query]);
    proven.push(rows[0]);
    const joint = createJointBounder(bounder.programs);
    if (joint.applies) proven.push((await joint.bound([query, query]))[0][0]);
    await joint.release();
  }
  const pre = (await bounders[0].preActivations(box))[1];
  const z2 = evaluate(net, box.lower)[3];
  await Promise.all(bounders.map((bounder) => bounder.release()));
  expect(marginOf(net)).toBeLessThan(0);
  expect(proven.filter((bound) => bound > marginOf(net))).toEqual([]);
  expect([...z2].filter((z, j) => z < pre.lower[j] || z > pre.upper[j])).toEqual([]);
});

test('a network that reads nothing of its input has the bounds of its constants', async () => {
  const net: Network = {
    nodes: [
      { kind: 'input', name: 'x', shape: [2], size: 2 },
      { kind: 'select', name: 's', from: 0, shape: [2], size: 2, index: Int32Array.of(-1, -1) },
      {
        ...{ kind: 'dense', name: 'd', from: 1, shape: [2], size: 2 },
        ...{ weight: Float64Array.of(1, 2, 3, 4), bias: Float64Array.of(1, 0) },
      },
    ],
    ...{ output: 2, inputShape: [2], inputSize: 2, classes: 2 },
  };
  const bounder = createBounder(net);
  const [{ rows }] = await bounder.bound([{ box, rows: [{ coefficients: Float64Array.of(1, -1), offset: 0 }] }]);
  await bounder.release();
  expect(rows[0]).toBeLessThanOrEqual(1);
  expect(rows[0]).toBeGreaterThan(0.999);
});
