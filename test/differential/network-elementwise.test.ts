import { floatTensor, int64Tensor } from '../../lib/network/tensor';
import { node, uniform } from '../support/models';
import { expectAgreement } from '../support/operators';

const weights = (name: string, dims: readonly number[], seed = 5) =>
  floatTensor(
    name,
    dims,
    uniform(seed)(dims.reduce((a, b) => a * b, 1)).map((value) => value + Math.sign(value)),
  );

describe('constant arithmetic', () => {
  const shapes: [number[], number[]][] = [
    [[1, 6], [6]],
    [[1, 6], []],
    [
      [1, 3, 4, 2],
      [3, 1, 1],
    ],
    [
      [1, 3, 4, 2],
      [1, 1, 4, 1],
    ],
    [
      [1, 1, 4],
      [3, 1],
    ],
  ];
  const operators = ['Add', 'Sub', 'Mul', 'Div'];
  const cases = operators.flatMap((op) => shapes.map(([input, dims]) => ({ op, input, dims })));
  test.each(cases)('$op of $input with constant $dims on the right', ({ op, input, dims }) =>
    expectAgreement({ nodes: [node(op, ['x', 'c'], 'r')], initializers: [weights('c', dims)], input }),
  );

  const left = cases.filter(({ op }) => op !== 'Div');
  test.each(left)('$op of $input with constant $dims on the left', ({ op, input, dims }) =>
    expectAgreement({ nodes: [node(op, ['c', 'x'], 'r')], initializers: [weights('c', dims)], input }),
  );

  test.each(['Add', 'Sub', 'Mul', 'Div', 'Max', 'Min', 'Pow'])('%s of two constants is folded', (op) =>
    expectAgreement({
      nodes: [node('Abs', ['c'], 'a'), node(op, ['a', 'd'], 'e'), node('Mul', ['x', 'e'], 'r')],
      initializers: [weights('c', [2, 1]), weights('d', [3], 9)],
      input: [1, 2, 3],
    }),
  );
});

describe('sums of network values', () => {
  const sides = [node('Relu', ['x'], 'a'), node('Neg', ['x'], 'b')];
  test.each(['Add', 'Sub', 'Sum', 'Max', 'Min'])('%s of two', (op) =>
    expectAgreement({ nodes: [...sides, node(op, ['a', 'b'], 'r')], input: [1, 2, 3] }),
  );

  test.each(['Add', 'Sub', 'Max', 'Min'])('%s with broadcasting', (op) =>
    expectAgreement({
      nodes: [node('ReduceMean', ['x'], 'm', { axes: [2, 3] }), node(op, ['x', 'm'], 'r')],
      input: [1, 3, 2, 4],
    }),
  );

  test.each(['Sum', 'Max', 'Min'])('%s of four, one constant and one twice', (op) =>
    expectAgreement({
      nodes: [...sides, node(op, ['a', 'c', 'b', 'a'], 'r')],
      initializers: [weights('c', [3])],
      input: [1, 2, 3],
    }),
  );

  test('a value added to itself, and subtracted from itself', async () => {
    await expectAgreement({ nodes: [node('Add', ['x', 'x'], 'r')], input: [1, 4] });
    await expectAgreement({ nodes: [node('Sub', ['x', 'x'], 'd'), node('Add', ['d', 'x'], 'r')], input: [1, 4] });
    await expectAgreement({ nodes: [node('Identity', ['x'], 'i'), node('Add', ['i', 'x'], 'r')], input: [1, 4] });
  });
});

describe('piecewise linear functions', () => {
  test.each([8, 13, 17])('Relu, opset %i', (opset) =>
    expectAgreement({ nodes: [node('Relu', ['x'], 'r')], input: [1, 9], opset }),
  );
  test('Abs', () => expectAgreement({ nodes: [node('Abs', ['x'], 'r')], input: [1, 9] }));
  test('LeakyRelu with and without slope', async () => {
    await expectAgreement({ nodes: [node('LeakyRelu', ['x'], 'r')], input: [1, 9] });
    await expectAgreement({ nodes: [node('LeakyRelu', ['x'], 'r', { alpha: { float: 0.3 } })], input: [1, 9] });
    await expectAgreement({ nodes: [node('LeakyRelu', ['x'], 'r', { alpha: { float: -0.5 } })], input: [1, 9] });
  });
  test.each([[[3, 1, 1]], [[1]], [[3, 2, 2]]])('PRelu with slope of shape %j', (dims) =>
    expectAgreement({
      nodes: [node('PRelu', ['x', 's'], 'r')],
      initializers: [weights('s', dims)],
      input: [1, 3, 2, 2],
    }),
  );

  const limits = [
    { min: -0.5, max: 0.75 },
    { min: 0, max: 1 },
    { min: 0.25 },
    { max: 0.25 },
    { min: -3.4028234663852886e38, max: 3.4028234663852886e38 },
  ];
  test.each(limits)('Clip to $min .. $max, limits as attributes', (given) =>
    expectAgreement({
      nodes: [node('Clip', ['x'], 'r', Object.fromEntries(Object.entries(given).map(([k, v]) => [k, { float: v }])))],
      input: [1, 9],
      opset: 8,
    }),
  );
  const crossed = { min: 1, max: -1 };
  test.each([...limits, crossed])('Clip to $min .. $max, limits as inputs', ({ min, max }) =>
    expectAgreement({
      nodes: [node('Clip', ['x', min === undefined ? '' : 'lo', ...(max === undefined ? [] : ['hi'])], 'r')],
      initializers: [
        ...(min === undefined ? [] : [floatTensor('lo', [], Float32Array.of(min))]),
        ...(max === undefined ? [] : [floatTensor('hi', [], Float32Array.of(max))]),
      ],
      input: [1, 9],
    }),
  );
});

describe('batch normalisation', () => {
  const statistics = [
    weights('g', [3]),
    weights('b', [3], 6),
    weights('m', [3], 7),
    floatTensor('v', [3], Float32Array.of(0.2, 1, 3)),
  ];
  const normalize = (input: string, output: string) =>
    node('BatchNormalization', [input, 'g', 'b', 'm', 'v'], output, { epsilon: { float: 0.001 } });
  test.each([[[1, 3]], [[1, 3, 4]], [[1, 3, 4, 2]]])('on %j', (input) =>
    expectAgreement({ nodes: [normalize('x', 'r')], initializers: statistics, input }),
  );
  test.each([8, 13, 15])('opset %i', (opset) =>
    expectAgreement({ nodes: [normalize('x', 'r')], initializers: statistics, input: [1, 3, 2, 2], opset }),
  );
  test('after and before a convolution, with padding', () =>
    expectAgreement({
      nodes: [
        normalize('x', 'n'),
        node('Conv', ['n', 'w'], 'c', { pads: [1, 1, 1, 1] }),
        normalize('c', 'q'),
        node('Conv', ['q', 'w'], 'r'),
      ],
      initializers: [...statistics, weights('w', [3, 3, 3, 3])],
      input: [1, 3, 5, 5],
    }));
});

test('Identity, Dropout of old and new opsets, Cast to float', async () => {
  const nodes = [
    node('Identity', ['x'], 'i'),
    node('Dropout', ['i'], 'd', {}),
    node('Cast', ['d'], 'f', { to: 1 }),
    node('Relu', ['f'], 'r'),
  ];
  for (const opset of [8, 10, 13, 22]) await expectAgreement({ nodes, input: [1, 5], opset });
});

test('Where with a constant condition chooses between network values and constants', async () => {
  const condition = [node('Cast', ['k'], 'b', { to: 9 }), node('Neg', ['x'], 'n')];
  const initializers = [int64Tensor('k', [1, 0, 1]), weights('c', [2, 1])];
  await expectAgreement({ nodes: [...condition, node('Where', ['b', 'x', 'n'], 'r')], initializers, input: [1, 2, 3] });
  await expectAgreement({ nodes: [...condition, node('Where', ['b', 'c', 'n'], 'r')], initializers, input: [1, 2, 3] });
  await expectAgreement({ nodes: [...condition, node('Where', ['b', 'n', 'c'], 'r')], initializers, input: [1, 2, 3] });
  await expectAgreement({ nodes: [...condition, node('Where', ['b', 'n', 'n'], 'r')], initializers, input: [1, 2, 3] });
});
