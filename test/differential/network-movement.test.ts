import { floatTensor, int64Tensor } from '../../lib/network/tensor';
import { node, uniform } from '../support/models';
import { expectAgreement } from '../support/operators';

const weights = (name: string, dims: readonly number[], seed = 3) =>
  floatTensor(name, dims, uniform(seed)(dims.reduce((a, b) => a * b, 1)));
const far = Number.MAX_SAFE_INTEGER;

describe('Transpose', () => {
  test.each([[[0, 2, 3, 1]], [[0, 3, 1, 2]], [[3, 1, 0, 2]], [undefined]])('%j', (perm) =>
    expectAgreement({ nodes: [node('Transpose', ['x'], 'r', perm ? { perm } : {})], input: [1, 2, 3, 4] }),
  );
  test('channels last to a convolution and back', () =>
    expectAgreement({
      nodes: [
        node('Transpose', ['x'], 'a', { perm: [0, 3, 1, 2] }),
        node('Conv', ['a', 'w'], 'b'),
        node('Transpose', ['b'], 'c', { perm: [0, 2, 3, 1] }),
        node('Flatten', ['c'], 'd'),
        node('MatMul', ['d', 'v'], 'r'),
      ],
      initializers: [weights('w', [3, 2, 3, 3]), weights('v', [18, 4])],
      input: [1, 4, 5, 2],
    }));
});

describe('Slice', () => {
  const cases = [
    { starts: [1], ends: [3], axes: [1], steps: [1] },
    { starts: [1, -3], ends: [far, -1], axes: [2, 3], steps: [1, 1] },
    { starts: [0, 0], ends: [far, 4], axes: [-1, -2], steps: [2, 3] },
    { starts: [-1], ends: [-far], axes: [2], steps: [-1] },
    { starts: [5, 3], ends: [0, 0], axes: [3, 2], steps: [-2, -1] },
    { starts: [-100], ends: [100], axes: [3], steps: [1] },
  ];
  test.each(cases)('$starts to $ends by $steps on axes $axes, as inputs', (given) =>
    expectAgreement({
      nodes: [node('Slice', ['x', 'starts', 'ends', 'axes', 'steps'], 'r')],
      initializers: Object.entries(given).map(([name, values]) => int64Tensor(name, values)),
      input: [1, 3, 4, 6],
    }),
  );
  test.each(cases.filter(({ steps }) => steps.every((step) => step === 1)))(
    '$starts to $ends on axes $axes, as attributes',
    ({ steps: _, ...given }) =>
      expectAgreement({ nodes: [node('Slice', ['x'], 'r', given)], input: [1, 3, 4, 6], opset: 9 }),
  );
  test('without axes', () =>
    expectAgreement({
      nodes: [node('Slice', ['x'], 'r', { starts: [0, 1], ends: [1, 3] })],
      input: [1, 3, 4],
      opset: 8,
    }));
});

describe('Split', () => {
  const parts = ['p', 'q', 's'];
  const joined = [node('Neg', ['q'], 'n'), node('Concat', ['s', 'n', 'p'], 'r', { axis: 2 })];
  test('into equal parts', async () => {
    const nodes = [node('Split', ['x'], parts, { axis: 2 }), ...joined];
    await expectAgreement({ nodes, input: [1, 2, 6], opset: 8 });
    await expectAgreement({ nodes, input: [1, 2, 6], opset: 17 });
  });
  test('into given parts, as attribute and as input', async () => {
    const sizes = [1, 4, 2];
    await expectAgreement({
      nodes: [node('Split', ['x'], parts, { axis: -1, split: sizes }), ...joined],
      input: [1, 2, 7],
      opset: 11,
    });
    const nodes = [node('Split', ['x', 'sizes'], parts, { axis: 2 }), ...joined];
    await expectAgreement({ nodes, initializers: [int64Tensor('sizes', sizes)], input: [1, 2, 7], opset: 13 });
  });
  test('into a number of parts that does not divide the axis', () =>
    expectAgreement({
      nodes: [node('Split', ['x'], parts, { axis: 2, num_outputs: 3 }), ...joined],
      input: [1, 2, 7],
      opset: 18,
    }));
});

describe('Concat', () => {
  const sides = [node('Relu', ['x'], 'a'), node('Neg', ['x'], 'b')];
  test.each([1, 2, -1])('of network values and constants on axis %i', (axis) =>
    expectAgreement({
      nodes: [...sides, node('Concat', ['c', 'a', 'b', 'c', 'x', 'a'], 'r', { axis })],
      initializers: [weights('c', [1, 3, 3])],
      input: [1, 3, 3],
    }),
  );
  test('of one value with itself, and of constants alone', async () => {
    await expectAgreement({ nodes: [node('Concat', ['x', 'x'], 'r', { axis: 1 })], input: [1, 3] });
    const initializers = [weights('c', [2, 2]), weights('d', [2, 1])];
    await expectAgreement({
      nodes: [node('Concat', ['c', 'd'], 'w', { axis: 1 }), node('MatMul', ['x', 'w'], 'r')],
      initializers,
      input: [1, 2],
    });
  });
});

describe('Pad', () => {
  const pads = [0, 0, 1, 2, 0, 1, 0, 3];
  test.each(['constant', 'edge', 'reflect'])('mode %s, as attribute and as input', async (mode) => {
    const value = { float: 0.5 };
    await expectAgreement({ nodes: [node('Pad', ['x'], 'r', { pads, mode, value })], input: [1, 2, 3, 4], opset: 10 });
    const initializers = [int64Tensor('pads', pads), floatTensor('value', [], Float32Array.of(-1.5))];
    const input = [1, 2, 3, 4];
    await expectAgreement({ nodes: [node('Pad', ['x', 'pads', 'value'], 'r', { mode })], initializers, input });
  });
  test('negative pads crop, in constant mode', () =>
    expectAgreement({
      nodes: [node('Pad', ['x', 'pads'], 'r')],
      initializers: [int64Tensor('pads', [0, -1, 1, 0, 0, -2])],
      input: [1, 3, 5],
    }));
  test('of chosen axes', () =>
    expectAgreement({
      nodes: [node('Pad', ['x', 'pads', '', 'axes'], 'r')],
      initializers: [int64Tensor('pads', [1, 2, 0, 1]), int64Tensor('axes', [-1, 1])],
      input: [1, 2, 3],
      opset: 18,
    }));
  test('of a constant', () =>
    expectAgreement({
      nodes: [node('Pad', ['c'], 'd', { pads: [1, 0, 0, 1], value: { float: 2 } }), node('MatMul', ['x', 'd'], 'r')],
      initializers: [weights('c', [2, 2])],
      input: [1, 3],
      opset: 10,
    }));
});

describe('Gather, Expand, Tile', () => {
  test.each([[[2, 0]], [[-1]], [[1, 1, 0, 2]]])('Gather of %j', (indices) =>
    expectAgreement({
      nodes: [node('Gather', ['x', 'i'], 'r', { axis: 1 })],
      initializers: [int64Tensor('i', indices)],
      input: [1, 3, 2],
    }),
  );
  test('Gather by a scalar and by a matrix', async () => {
    const nodes = [node('Gather', ['x', 'i'], 'r', { axis: -1 })];
    await expectAgreement({ nodes, initializers: [int64Tensor('i', [1], [])], input: [1, 3, 2] });
    await expectAgreement({ nodes, initializers: [int64Tensor('i', [1, 0, 0, 1], [2, 2])], input: [1, 3, 2] });
  });
  test('Expand and Tile', async () => {
    await expectAgreement({
      nodes: [node('Expand', ['x', 's'], 'r')],
      initializers: [int64Tensor('s', [2, 1, 4])],
      input: [1, 3, 1],
    });
    await expectAgreement({
      nodes: [node('Tile', ['x', 's'], 'r')],
      initializers: [int64Tensor('s', [1, 2, 3])],
      input: [1, 3, 2],
    });
  });
});
