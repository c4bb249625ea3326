import { floatTensor } from '../../lib/network/tensor';
import { node, uniform } from '../support/models';
import { expectAgreement } from '../support/operators';

const weights = (name: string, dims: readonly number[], seed = 3) =>
  floatTensor(name, dims, uniform(seed)(dims.reduce((a, b) => a * b, 1)));

describe('MatMul', () => {
  const right: [number[], number[]][] = [
    [
      [1, 5],
      [5, 3],
    ],
    [[1, 5], [5]],
    [[5], [5, 3]],
    [
      [1, 4, 5],
      [5, 3],
    ],
    [
      [1, 2, 4, 5],
      [5, 3],
    ],
    [
      [1, 1, 5],
      [1, 5, 3],
    ],
    [
      [1, 2, 4, 5],
      [2, 5, 3],
    ],
    [
      [1, 2, 1, 5],
      [2, 5, 3],
    ],
    [
      [1, 1, 4, 5],
      [2, 5, 3],
    ],
  ];
  test.each(right)('x %j by constant %j', (input, dims) =>
    expectAgreement({
      nodes: [node('MatMul', ['x', 'w'], 'r')],
      initializers: [weights('w', dims)],
      input,
      single: dims.length === 1,
    }),
  );

  const left: [number[], number[]][] = [
    [
      [1, 5, 1],
      [3, 5],
    ],
    [
      [1, 5, 4],
      [3, 5],
    ],
    [[5], [3, 5]],
    [
      [5, 1],
      [3, 5],
    ],
    [
      [1, 2, 5, 4],
      [3, 5],
    ],
    [
      [1, 2, 5, 4],
      [2, 3, 5],
    ],
    [[1, 5, 4], [5]],
  ];
  test.each(left)('constant by x %j, constant %j', (input, dims) =>
    expectAgreement({ nodes: [node('MatMul', ['w', 'x'], 'r')], initializers: [weights('w', dims)], input }),
  );

  test('of two constants, and a transposed constant', () =>
    expectAgreement({
      nodes: [node('Transpose', ['b'], 't'), node('MatMul', ['a', 't'], 'w'), node('MatMul', ['x', 'w'], 'r')],
      initializers: [weights('a', [5, 2]), weights('b', [3, 2])],
      input: [1, 5],
    }));
});

describe('Gemm', () => {
  const flags = [0, 1].flatMap((transA) => [0, 1].map((transB) => ({ transA, transB })));
  test.each(flags)('transA $transA, transB $transB, scaled', ({ transA, transB }) =>
    expectAgreement({
      nodes: [node('Gemm', ['x', 'w', 'c'], 'r', { transA, transB, alpha: { float: 0.5 }, beta: { float: -2 } })],
      initializers: [weights('w', transB ? [3, 5] : [5, 3]), weights('c', [3])],
      input: transA ? [5, 1] : [1, 5],
    }),
  );
  test.each(flags)('constant first, transA $transA, transB $transB', ({ transA, transB }) =>
    expectAgreement({
      nodes: [node('Gemm', ['w', 'x', 'c'], 'r', { transA, transB, alpha: { float: 1.5 } })],
      initializers: [weights('w', transA ? [5, 3] : [3, 5]), weights('c', [3, 1])],
      input: transB ? [1, 5] : [5, 1],
    }),
  );
  test('without a bias, with a scalar bias, with a bias that depends on the input', async () => {
    const initializers = [weights('w', [5, 5]), weights('s', [])];
    await expectAgreement({ nodes: [node('Gemm', ['x', 'w'], 'r')], initializers, input: [1, 5] });
    await expectAgreement({ nodes: [node('Gemm', ['x', 'w', 's'], 'r')], initializers, input: [1, 5] });
    await expectAgreement({
      nodes: [node('Gemm', ['x', 'w', 'x'], 'r', { beta: { float: 3 } })],
      initializers,
      input: [1, 5],
    });
  });
  test('of several rows', () =>
    expectAgreement({
      nodes: [node('Gemm', ['x', 'w', 'c'], 'r')],
      initializers: [weights('w', [5, 3]), weights('c', [4, 1])],
      input: [4, 5],
    }));
});

test('a chain of linear layers with arithmetic between them', () =>
  expectAgreement({
    nodes: [
      node('Sub', ['x', 'm'], 'a'),
      node('Div', ['a', 's'], 'b'),
      node('Flatten', ['b'], 'c'),
      node('MatMul', ['c', 'w'], 'd'),
      node('Add', ['d', 'v'], 'e'),
      node('MatMul', ['e', 'u'], 'f'),
      node('Relu', ['f'], 'g'),
      node('Add', ['g', 'f'], 'h'),
      node('Mul', ['h', 'v'], 'r'),
    ],
    initializers: [
      weights('m', [2, 1, 1]),
      floatTensor('s', [2, 1, 1], Float32Array.of(0.25, 0.5)),
      weights('w', [18, 6]),
      weights('v', [6]),
      weights('u', [6, 6], 8),
    ],
    input: [1, 2, 3, 3],
  }));

describe('means and sums over axes', () => {
  const axes = [[1], [2, 3], [-1], [1, 2, 3], [3, 1]];
  const cases = axes.flatMap((list) => [0, 1].map((keepdims) => ({ axes: list, keepdims })));
  test.each(cases)('ReduceMean over $axes, keepdims $keepdims, as attribute', ({ axes, keepdims }) =>
    expectAgreement({
      nodes: [node('ReduceMean', ['x'], 'r', { axes, keepdims })],
      input: [1, 3, 2, 4],
      single: axes.length === 3,
    }),
  );
  test.each(['ReduceMean', 'ReduceSum', 'ReduceMax', 'ReduceMin'])('%s over axes given as an input', async (op) => {
    const constant = node('Constant', [], 'axes', { value_ints: [1, -1] });
    await expectAgreement({ nodes: [constant, node(op, ['x', 'axes'], 'r')], input: [1, 3, 2, 4], opset: 18 });
    await expectAgreement({ nodes: [node(op, ['x'], 'r')], input: [1, 3, 2, 4], opset: 18, single: true });
    await expectAgreement({ nodes: [node(op, ['x'], 'r', { noop_with_empty_axes: 1 })], input: [1, 3], opset: 18 });
  });
  test.each(['GlobalAveragePool', 'GlobalMaxPool'])('%s', async (op) => {
    await expectAgreement({ nodes: [node(op, ['x'], 'r')], input: [1, 3, 4, 3] });
    await expectAgreement({ nodes: [node(op, ['x'], 'r')], input: [1, 3, 5] });
    await expectAgreement({ nodes: [node(op, ['x'], 'r')], input: [1, 1, 3, 3], single: true });
  });
});
