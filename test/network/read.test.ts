import { BadInputError } from '../../lib/errors';
import { DataType, encodeModel, type GraphProto, type TensorProto } from '../../lib/network/protobuf';
import { readNetwork } from '../../lib/network/read';
import { attributes, doubleTensor, floatTensor, int64Tensor, tensorInfo } from '../../lib/network/tensor';
import { modelBytes, node, randomMlp, uniform } from '../support/models';

function problemsOf(bytes: Uint8Array): readonly string[] {
  try {
    readNetwork(bytes, 'model test.onnx');
  } catch (error) {
    if (error instanceof BadInputError) {
      expect(error.subject).toBe('model test.onnx');
      return error.problems;
    }
    throw error;
  }
  throw new Error('the model was accepted');
}

/** A linear net of 4 inputs and 3 classes, with parts of the graph replaced. */
function linear(replaced: GraphProto = {}, opset = 17): Uint8Array {
  return encodeModel({
    irVersion: 8,
    opsetImport: [{ version: opset }],
    graph: {
      node: [node('MatMul', ['x', 'w'], 'y')],
      initializer: [floatTensor('w', [4, 3], uniform(1)(12))],
      input: [tensorInfo('x', [1, 4])],
      output: [tensorInfo('y', [1, 3])],
      ...replaced,
    },
  });
}

const weightsAs = (tensor: TensorProto): Uint8Array =>
  linear({ initializer: [{ name: 'w', dims: [4, 3], ...tensor }] });

test('every unsupported node is listed with name, operator and opset, before anything else is judged', () => {
  const nodes = [
    node('Sigmoid', ['x'], 'a', {}, 'gate'),
    node('MatMul', ['a', 'missing'], 'b', {}, 'product'),
    node('Erf', ['b'], 'c'),
    { ...node('FusedConv', ['c'], 'y', {}, 'fused'), domain: 'com.microsoft' },
    node('Tanh', ['x'], 'unused', {}, 'dead'),
  ];
  expect(problemsOf(modelBytes({ nodes, input: [1, 4], output: [1, 4], opset: 13 }))).toEqual([
    'node gate (Sigmoid, opset 13) is not supported',
    'the node that computes c (Erf, opset 13) is not supported',
    'node fused (com.microsoft.FusedConv, opset 13) is not supported',
  ]);
});

test('problems inside supported nodes are listed together, without those that only follow from them', () => {
  const nodes = [
    node('Mul', ['x', 'x'], 'a', {}, 'square'),
    node('Relu', ['a'], 'b', {}, 'after'),
    node('Dropout', ['x', '', 'training'], 'c', {}, 'dropout'),
    node('Add', ['b', 'c'], 'y'),
  ];
  const initializers = [int64Tensor('training', [1], [])];
  expect(problemsOf(modelBytes({ nodes, initializers, input: [1, 4], output: [1, 4] }))).toEqual([
    'node square (Mul, opset 17): multiplies two values that depend on the input',
    'node dropout (Dropout, opset 17): training_mode is on; export the model in evaluation mode',
  ]);
});

test('unsupported nodes and problems of the frame are listed together', () => {
  const replaced = { node: [node('Erf', ['x'], 'y', {}, 'bend')], input: [tensorInfo('x', [1, 'n'])] };
  expect(problemsOf(linear(replaced, 23)).map((problem) => problem.split(';')[0])).toEqual([
    'node bend (Erf, opset 23) is not supported',
    'uses operator set 23',
    'input x has shape [1, n]',
  ]);
});

describe('files that are not usable models', () => {
  test('a truncated file, at any length', () => {
    const bytes = randomMlp([6, 5, 3], 1);
    for (let length = 0; length < bytes.length; length += 7) {
      const [problem] = problemsOf(bytes.subarray(0, length));
      expect(problem).toMatch(/^is not an ONNX file, or is cut short/);
    }
  });
  test('something that is not ONNX', () => {
    expect(problemsOf(new TextEncoder().encode('<html>not found</html>'))[0]).toMatch(/^is not an ONNX file/);
    expect(problemsOf(new Uint8Array(0))[0]).toMatch(/^is not an ONNX file/);
  });
  test.each([7, 23])('operator set %i', (opset) => {
    expect(problemsOf(linear({}, opset))[0]).toMatch(`uses operator set ${opset}; sets 8 to 22 are read`);
  });
  test('several inputs and outputs', () => {
    const input = [tensorInfo('x', [1, 4]), tensorInfo('mask', [1, 4])];
    const output = [tensorInfo('y', [1, 3]), tensorInfo('z', [1, 3])];
    expect(problemsOf(linear({ input, output }))).toEqual([
      'has 2 inputs (x, mask); exactly one, the image, is expected',
      'has 2 outputs (y, z); exactly one, the class scores, is expected',
    ]);
  });
  test('a dynamic dimension that is not the batch', () => {
    expect(problemsOf(linear({ input: [tensorInfo('x', ['n', 1, 'height', 28])] }))).toEqual([
      'input x has shape [n, 1, height, 28]; every dimension but the first (batch) must be a fixed number',
    ]);
  });
  test.each([DataType.double, DataType.float16, DataType.uint8])('input of element type %i', (type) => {
    expect(problemsOf(linear({ input: [tensorInfo('x', [1, 4], type)] }))[0]).toMatch(
      /^input x has element type \w+; export/,
    );
  });
  test('outputs that are no vector of class scores', () => {
    const oneScore = linear({ initializer: [floatTensor('w', [4, 1], uniform(1)(4))] });
    expect(problemsOf(oneScore)[0]).toMatch(/^output y has shape \[1, 1\] for one input; one vector of two or more/);
    const matrix = modelBytes({ nodes: [node('Relu', ['x'], 'y')], input: [1, 2, 3], output: [1, 2, 3] });
    expect(problemsOf(matrix)[0]).toMatch('output y has shape [1, 2, 3]');
    const fixed = modelBytes({
      nodes: [node('Identity', ['w'], 'y')],
      initializers: [floatTensor('w', [3], uniform(1)(3))],
      input: [1, 4],
      output: [3],
    });
    expect(problemsOf(fixed)).toEqual(['output y does not depend on the input']);
    const absent = linear({ output: [tensorInfo('z', [1, 3])] });
    expect(problemsOf(absent)).toEqual(['output z: needs tensor z, which no earlier node computes']);
  });
});

describe('stored weights', () => {
  const values = uniform(1)(12);
  const wanted = readNetwork(linear()).network;

  test('as float_data, and as an input of an old file too', () => {
    expect(readNetwork(weightsAs({ dataType: DataType.float, floatData: [...values] })).network).toEqual(wanted);
    const both = [tensorInfo('x', [1, 4]), tensorInfo('w', [4, 3])];
    expect(readNetwork(linear({ input: both })).network).toEqual(wanted);
  });
  test('other types are refused', () => {
    expect(problemsOf(linear({ initializer: [doubleTensor('w', [4, 3], new Float64Array(12))] }))).toEqual([
      'the node that computes y (MatMul, opset 17): the weight matrix is double; only float (float32) networks are read, export the model as float32',
    ]);
    const half = weightsAs({ dataType: DataType.float16, int32Data: new Array(12).fill(0x3c00) });
    expect(problemsOf(half)[0]).toMatch('the weight matrix is float16');
    expect(problemsOf(weightsAs({ dataType: DataType.string }))[0]).toMatch(
      'has element type string, which is not read',
    );
  });
  test('half precision that the graph itself converts is exact', () => {
    const bits = [0x3c00, 0xc000, 0x3555, 0x0001, 0x8400, 0x7bff, 0, 0, 0, 0, 0, 0];
    const bytes = linear({
      node: [node('Cast', ['h'], 'w', { to: DataType.float }), node('MatMul', ['x', 'w'], 'y')],
      initializer: [{ name: 'h', dims: [4, 3], dataType: DataType.float16, int32Data: bits }],
    });
    const [, layer] = readNetwork(bytes).network.nodes;
    const rows = layer.kind === 'dense' ? [...layer.weight] : [];
    expect([rows[0], rows[4], rows[8], rows[1], rows[5], rows[9]]).toEqual([
      1,
      -2,
      1365 * 2 ** -12,
      2 ** -24,
      -(2 ** -14),
      65504,
    ]);
  });
  test('outside the file, not finite, or too few values', () => {
    const external = weightsAs({
      dataType: DataType.float,
      dataLocation: 1,
      externalData: [{ key: 'location', value: 'w.bin' }],
    });
    expect(problemsOf(external)[0]).toMatch('tensor w is stored outside the model, in w.bin');
    const infinite = Float32Array.from(values).fill(Number.POSITIVE_INFINITY, 3, 4);
    expect(problemsOf(weightsAs(floatTensor('w', [4, 3], infinite)))[0]).toMatch('holds a value that is not finite');
    expect(problemsOf(weightsAs(floatTensor('w', [4, 3], values.subarray(2))))[0]).toMatch(
      'holds 10 values instead of 12',
    );
  });
});

describe('a softmax', () => {
  const withSoftmax = (axis: number, opset: number, rest = false): Uint8Array =>
    modelBytes({
      nodes: [
        node('Relu', ['x'], 'a'),
        { ...node('Softmax', ['a'], rest ? 'b' : 'y'), attribute: attributes({ axis }) },
        ...(rest ? [node('Neg', ['b'], 'y')] : []),
      ],
      input: [1, 4],
      output: [1, 4],
      opset,
    });
  test.each([
    [1, 11],
    [-1, 13],
    [1, 17],
    [0, 11],
  ])('over the classes (axis %i, opset %i) is left out at the end', (axis, opset) => {
    expect(readNetwork(withSoftmax(axis, opset)).network.nodes.map(({ kind }) => kind)).toEqual(['input', 'relu']);
  });
  test('is refused elsewhere', () => {
    expect(problemsOf(withSoftmax(0, 13))[0]).toMatch('axis 0 of [1, 4] is not the class axis');
    expect(problemsOf(withSoftmax(1, 13, true))[0]).toMatch('is read only as the last node');
  });
});
