import { networkLimits } from '../../lib/network/limits';
import type { NodeProto, TensorProto } from '../../lib/network/protobuf';
import { readNetwork } from '../../lib/network/read';
import { floatTensor, int64Tensor } from '../../lib/network/tensor';
import { modelBytes, node } from '../support/models';
import { problemsOf } from '../support/problems';

const net = (nodes: NodeProto[], initializers: TensorProto[] = [], input: (number | string)[] = [1, 4]): Uint8Array =>
  modelBytes({ nodes, initializers, input, output: [1, 3] });
const huge = 2 ** 40;
const refused = (bytes: Uint8Array): string => problemsOf(() => readNetwork(bytes, 'model')).join('; ');

test.each([
  ['ConstantOfShape', [node('ConstantOfShape', ['n'], 'c'), node('Add', ['x', 'c'], 'y')], [int64Tensor('n', [huge])]],
  ['Expand', [node('Expand', ['x', 'n'], 'y')], [int64Tensor('n', [huge, 4])]],
  ['Tile', [node('Tile', ['x', 'n'], 'y')], [int64Tensor('n', [huge, 2])]],
  ['Pad', [node('Pad', ['x', 'n'], 'y')], [int64Tensor('n', [0, huge, 0, 0])]],
  [
    'Range',
    [node('Range', ['zero', 'n', 'one'], 'c'), node('Add', ['x', 'c'], 'y')],
    [int64Tensor('zero', [0], []), int64Tensor('n', [huge], []), int64Tensor('one', [1], [])],
  ],
] as const)('a model of a few bytes that asks for a tensor without end is refused: %s', (name, nodes, initializers) => {
  const bytes = net([...nodes], [...initializers]);
  expect(bytes.length).toBeLessThan(400);
  expect(refused(bytes)).toMatch(new RegExp(`${name}, opset 17\\).*tensor of \\d+ values; at most`));
});

test('an input larger than any image is refused, before its nodes are looked at', () => {
  expect(refused(net([node('Relu', ['x'], 'y')], [], [1, 3, 2 ** 20, 2 ** 20]))).toBe(
    `input x has ${3 * 2 ** 40} values; at most ${networkLimits.inputValues} are possible: give smaller images`,
  );
});

test('a weight that declares more values than it holds is refused, whatever it declares', () => {
  const weight = { ...floatTensor('w', [4, 3], new Float32Array(12)), dims: [4, huge] };
  expect(refused(net([node('MatMul', ['x', 'w'], 'y')], [weight]))).toMatch(/tensor of \d+ values; at most/);
});

test('a file above the limit is refused by its size alone', () => {
  const bytes = { length: networkLimits.modelBytes + 1 } as Uint8Array;
  expect(refused(bytes)).toBe(
    `has ${networkLimits.modelBytes + 1} bytes; models of at most ${networkLimits.modelBytes} are read: export a smaller one`,
  );
});
