import { graphBuilder } from '../../lib/bounds/graph';
import { floatTensor, sessionCache } from '../../lib/bounds/sessions';
import { decodeModel } from '../../lib/network/protobuf';

const sessions = sessionCache(1);

afterAll(() => sessions.release());

test('absolute values are exact, NaN stays NaN and infinity infinity', async () => {
  const graph = graphBuilder();
  graph.output('y', graph.absolute(graph.input('x', 'float', ['R', 'c'])));
  const session = await sessions.get('absolute', () => graph.encode());
  const values = [1, -1, 0, -0, 3e38, -3e38, 2 ** -149, -(2 ** -149), -(2 ** -126), 5, -7, -8, -9, Number.NaN];
  const x = Float32Array.from([...values, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);
  const { y } = await session.run({ x: floatTensor(x, 1) });
  // -0 is as good as 0 in every sum.
  expect(Array.from(y, (value) => value + 0)).toEqual(Array.from(x, (value) => Math.abs(value)));
});

test('what no output needs is left out, with its constants', () => {
  const graph = graphBuilder();
  const x = graph.input('x', 'float', [1, 2]);
  const used = graph.node('Add', [x, graph.floats([1, 2], [1, 2])]);
  graph.node('Mul', [used, graph.floats([3, 4], [1, 2])]);
  graph.output('y', graph.node('Relu', [used]));
  const { node, initializer, input } = decodeModel(graph.encode()).graph!;
  expect(node!.map(({ opType }) => opType)).toEqual(['Add', 'Relu']);
  expect(initializer).toHaveLength(1);
  expect(input).toHaveLength(1);
});

test('a value may be an output, read by others, an output twice, or an input', async () => {
  const graph = graphBuilder();
  const x = graph.input('x', 'float', [1, 3]);
  const shifted = graph.node('Add', [x, graph.scalar(1)]);
  graph.output('first', shifted);
  graph.output('second', shifted);
  graph.output('same', x);
  graph.output('twice', graph.node('Mul', [shifted, graph.scalar(2)]));
  const session = await sessions.get('outputs', () => graph.encode());
  const { first, second, same, twice } = await session.run({ x: floatTensor(Float32Array.of(1, 2, 3), 1) });
  expect([first, second, same, twice].map((value) => [...value])).toEqual([
    [2, 3, 4],
    [2, 3, 4],
    [1, 2, 3],
    [4, 6, 8],
  ]);
});
