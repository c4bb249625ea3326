import { evaluate } from '../../lib/network/evaluate';
import { loadModel } from '../../lib/network/original';
import { floatTensor, int64Tensor } from '../../lib/network/tensor';
import { type GraphOptions, modelBytes, node, uniform } from '../support/models';
import { expectWellFormed } from '../support/well-formed';

const draw = uniform(4);
const bias = draw(3);
const weights = [floatTensor('w', [12, 3], draw(36)), floatTensor('b', [3], bias)];
const tail = (from: string) => [node('MatMul', [from, 'w'], 'z'), node('Add', ['z', 'b'], 'y')];
const shapeFrom = [
  node('Shape', ['x'], 's'),
  node('Constant', [], 'zero', { value_int: 0 }),
  node('Gather', ['s', 'zero'], 'n'),
  node('Unsqueeze', ['n', 'axis'], 'n1'),
  node('Concat', ['n1', 'rest'], 'target', { axis: 0 }),
  node('Reshape', ['x', 'target'], 'flat'),
];

const reshapeTo = (shape: readonly number[]) => ({
  nodes: [node('Reshape', ['x', 'shape'], 'flat'), ...tail('flat')],
  initializers: [...weights, int64Tensor('shape', shape)],
});

const models: [string, GraphOptions, number | undefined, readonly number[]][] = [
  ['a free batch', { ...reshapeTo([0, -1]), input: ['n', 3, 4], output: ['n', 3] }, undefined, [3, 4]],
  [
    'a free batch and a shape with batch 1 written in',
    { ...reshapeTo([1, 12]), input: ['n', 3, 4], output: ['n', 3] },
    undefined,
    [3, 4],
  ],
  ['a batch of one', { ...reshapeTo([1, 12]), input: [1, 12, 1], output: [1, 3] }, 1, [12, 1]],
  ['a batch of one and -1 for it', { ...reshapeTo([-1, 12]), input: [1, 3, 4], output: [1, 3] }, 1, [3, 4]],
  ['a batch of four written in', { ...reshapeTo([4, 12]), input: [4, 3, 4], output: [4, 3] }, 4, [3, 4]],
  ['a batch of four and -1 for the rest', { ...reshapeTo([4, -1]), input: [4, 3, 4], output: [4, 3] }, 4, [3, 4]],
  ['no batch dimension', { nodes: tail('x'), initializers: weights, input: [12], output: [3] }, 1, [12]],
  ['no batch dimension, two axes', { ...reshapeTo([12]), input: [3, 4], output: [3] }, 1, [3, 4]],
  [
    'a shape computed from the input',
    {
      nodes: [...shapeFrom, ...tail('flat')],
      initializers: [...weights, int64Tensor('axis', [0]), int64Tensor('rest', [-1])],
      input: ['n', 3, 4],
      output: ['n', 3],
    },
    undefined,
    [3, 4],
  ],
  [
    'a shape computed from the input of a fixed batch of four',
    {
      nodes: [...shapeFrom, ...tail('flat')],
      initializers: [...weights, int64Tensor('axis', [0]), int64Tensor('rest', [-1])],
      input: [4, 3, 4],
      output: [4, 3],
    },
    4,
    [3, 4],
  ],
];

test.each(models)('%s', async (_, options, batch, inputShape) => {
  const { file, original } = await loadModel(modelBytes(options));
  expect(file.batch).toBe(batch);
  expect(file.network.inputShape).toEqual(inputShape);
  expect(file.network.nodes.map(({ kind }) => kind)).toEqual(['input', 'dense']);
  expectWellFormed(file.network);
  const count = 6;
  const inputs = draw(12 * count);
  const scores = await original.scores(inputs, count);
  await original.release();
  expect(scores).toHaveLength(3 * count);
  for (let i = 0; i < count; i++) {
    const wanted = evaluate(file.network, inputs.subarray(12 * i, 12 * i + 12))[file.network.output];
    wanted.forEach((score, k) => {
      expect(scores[3 * i + k]).toBeCloseTo(score, 4);
    });
  }
});

describe('inputs that influence each other in a batch', () => {
  // x minus the mean over the batch: zero for a batch of one, so that the scores are the bias.
  const nodes = [node('ReduceMean', ['x'], 'm', { axes: [0] }), node('Sub', ['x', 'm'], 'd'), ...tail('d')];

  test('are run one by one where the batch is free', async () => {
    const { original } = await loadModel(
      modelBytes({ nodes, initializers: weights, input: ['n', 12], output: ['n', 3] }),
    );
    const scores = await original.scores(draw(24), 2);
    await original.release();
    expect([...scores]).toEqual([...bias, ...bias]);
  });

  test('are refused where it is fixed', async () => {
    const bytes = modelBytes({ nodes, initializers: weights, input: [4, 12], output: [4, 3] });
    await expect(loadModel(bytes, 'mixed.onnx')).rejects.toThrow(
      'the 4 inputs of its fixed batch influence each other',
    );
  });
});

test('a wrong number of values is refused', async () => {
  const { original } = await loadModel(
    modelBytes({ nodes: tail('x'), initializers: weights, input: [1, 12], output: [1, 3] }),
  );
  await expect(original.scores(new Float32Array(13), 1)).rejects.toThrow('1 inputs of 12 values expected');
  await original.release();
});

test('zeros padded in front of a maximum pool count, although ONNX Runtime would fuse them away', async () => {
  const nodes = [
    node('Pad', ['x'], 'p', { pads: [0, 0, 0, 0, 0, 1] }),
    node('MaxPool', ['p'], 'm', { kernel_shape: [2] }),
    node('Flatten', ['m'], 'y'),
  ];
  const { file, original } = await loadModel(modelBytes({ nodes, input: [1, 1, 3], output: [1, 3], opset: 9 }));
  const x = Float32Array.of(-1, -2, -3);
  expect([...(await original.scores(x, 1))]).toEqual([-1, -2, 0]);
  expect([...evaluate(file.network, x)[file.network.output]]).toEqual([-1, -2, 0]);
  await original.release();
});
