import { evaluate } from '../../lib/network/evaluate';
import type { Network, NetworkNode } from '../../lib/network/network';
import { simplify } from '../../lib/network/simplify';
import { uniform } from '../support/models';
import { expectWellFormed } from '../support/well-formed';

const draw = uniform(11);
const values = (count: number): Float64Array => Float64Array.from(draw(count));

const vector = (size: number) => ({ name: 't', shape: [size], size });
const input = (size: number): NetworkNode => ({ kind: 'input', ...vector(size) });
const dense = (from: number, inSize: number, size: number): NetworkNode => ({
  kind: 'dense',
  ...vector(size),
  from,
  weight: values(size * inSize),
  bias: values(size),
});
const relu = (from: number, size: number): NetworkNode => ({ kind: 'relu', ...vector(size), from });
const add = (size: number, ...from: number[]): NetworkNode => ({ kind: 'add', ...vector(size), from });
const select = (
  from: number,
  index: number[],
  linear: { scale?: Float64Array; bias?: Float64Array } = {},
): NetworkNode => ({
  kind: 'select',
  ...vector(index.length),
  from,
  index: Int32Array.from(index),
  ...linear,
});

/** The network of these nodes, with the last one as output. */
function network(...nodes: NetworkNode[]): Network {
  const [first] = nodes;
  const last = nodes[nodes.length - 1];
  return { nodes, output: nodes.length - 1, inputShape: first.shape, inputSize: first.size, classes: last.size };
}

/** Simplifies, checks that the values stay, and returns the kinds of the nodes left. */
function simplified(original: Network): string {
  const result = simplify(original);
  for (let trial = 0; trial < 5; trial++) {
    const x = values(original.inputSize);
    const wanted = evaluate(original, x)[original.output];
    const got = evaluate(result, x)[result.output];
    expect(got).toHaveLength(wanted.length);
    got.forEach((value, i) => {
      expect(value).toBeCloseTo(wanted[i], 10);
    });
  }
  expectWellFormed(result);
  return result.nodes.map(({ kind }) => kind).join(' ');
}

test('selects are folded into the dense layers next to them', () => {
  const linear = { scale: values(4), bias: values(4) };
  expect(simplified(network(input(4), select(0, [3, 1, 0, 2], linear), dense(1, 4, 3)))).toBe('input dense');
  expect(simplified(network(input(4), dense(0, 4, 4), select(1, [3, -1, 0, 0], linear)))).toBe('input dense');
  expect(simplified(network(input(4), select(0, [3, 1, -1, 2], linear), select(1, [1, 2, -1, 0], linear)))).toBe(
    'input select',
  );
});

test('a dense layer is not made larger', () => {
  expect(simplified(network(input(6), select(0, [5, 1]), dense(1, 2, 3)))).toBe('input select dense');
  expect(simplified(network(input(2), dense(0, 2, 2), select(1, [0, 1, 0, 1]), relu(2, 4)))).toBe(
    'input dense select relu',
  );
});

test('dense layers in sequence become one only where that does not grow', () => {
  expect(simplified(network(input(4), dense(0, 4, 5), dense(1, 5, 3)))).toBe('input dense');
  expect(simplified(network(input(6), dense(0, 6, 1), dense(1, 1, 6)))).toBe('input dense dense');
});

test('a layer that has another reader is left alone', () => {
  const shared = network(
    input(3),
    dense(0, 3, 3),
    select(1, [2, 1, 0], { scale: values(3) }),
    relu(1, 3),
    add(3, 2, 3),
  );
  expect(simplified(shared)).toBe('input dense select relu add');
});

test('identity selects vanish, nested sums become one, dead nodes go', () => {
  const nested = network(
    input(3),
    relu(0, 3),
    dense(0, 3, 3),
    dense(0, 3, 3),
    add(3, 1, 2),
    select(4, [0, 1, 2]),
    add(3, 5, 0),
  );
  const result = simplify(nested);
  expect(result.nodes.map(({ kind }) => kind)).toEqual(['input', 'relu', 'dense', 'add']);
  expect(simplified(nested)).toBe('input relu dense add');
  expect(result.nodes[3]).toMatchObject({ from: [1, 2, 0] });
});

test('a sum never reads the same node twice', () => {
  expect(simplified(network(input(3), relu(0, 3), select(1, [0, 1, 2]), add(3, 1, 2)))).toBe('input relu select add');
  expect(simplified(network(input(3), relu(0, 3), dense(0, 3, 3), add(3, 1, 2), add(3, 3, 1)))).toBe(
    'input relu dense add add',
  );
});

test('what nothing is folded into keeps its exact weights, and the output may be the input', () => {
  const layer = dense(0, 4, 3);
  expect(simplify(network(input(4), layer)).nodes[1]).toEqual(layer);
  expect(simplified(network(input(4), select(0, [0, 1, 2, 3])))).toBe('input');
});

describe('around a convolution', () => {
  const geometry = { kernel: [2, 2], strides: [1, 1], dilations: [1, 1] } as const;
  const conv = (from: number, pads: readonly [number, number, number, number], groups = 1): NetworkNode => {
    const outShape = [2, 2 + pads[0] + pads[2], 2 + pads[1] + pads[3]] as const;
    const size = outShape[0] * outShape[1] * outShape[2];
    const weight = values(8 * (2 / groups));
    const shape = { inShape: [2, 3, 3], outShape } as const;
    return {
      kind: 'conv',
      name: 'c',
      shape: outShape,
      size,
      from,
      weight,
      bias: values(2),
      ...geometry,
      pads,
      groups,
      ...shape,
    };
  };
  const whole = (size: number): number[] => Array.from({ length: size }, (_, i) => i);
  const channels = (...each: number[]): Float64Array =>
    Float64Array.from({ length: 9 * each.length }, (_, i) => each[Math.floor(i / 9)]);
  const scale = channels(2, -3);
  const bias = channels(0.5, 1);
  const none = [0, 0, 0, 0] as const;
  const some = [1, 0, 0, 1] as const;

  test.each([1, 2])('channelwise scale and bias in front, %i groups', (groups) => {
    expect(simplified(network(input(18), select(0, whole(18), { scale, bias }), conv(1, none, groups)))).toBe(
      'input conv',
    );
    expect(simplified(network(input(18), select(0, whole(18), { scale }), conv(1, some, groups)))).toBe('input conv');
  });
  test('a bias in front of padding stays: the padded zeros are not shifted', () => {
    expect(simplified(network(input(18), select(0, whole(18), { scale, bias }), conv(1, some)))).toBe(
      'input select conv',
    );
  });
  test('channelwise scale and bias behind, but not positionwise', () => {
    const after = { scale: channels(1, 1), bias: channels(4, 5) };
    expect(simplified(network(input(18), conv(0, some), select(1, whole(18), after)))).toBe('input conv');
    expect(simplified(network(input(18), conv(0, some), select(1, whole(18), { scale: values(18) })))).toBe(
      'input conv select',
    );
  });
  test('padding in front, but not other arrangements', () => {
    const inner = [0, 1, 2, 3].map((i) => i + 0);
    const ring = (channel: number): number[] => [
      -1,
      -1,
      -1,
      ...[0, 1].flatMap((y) => [-1, ...inner.slice(2 * y, 2 * y + 2).map((i) => i + 4 * channel)]),
    ];
    expect(simplified(network(input(8), select(0, [...ring(0), ...ring(1)]), conv(1, some)))).toBe('input conv');
    expect(simplified(network(input(8), select(0, [...ring(1), ...ring(0)]), conv(1, some)))).toBe('input select conv');
    // The first values of more, padded or not, are no padding of all.
    for (const index of [whole(18), [...ring(0), ...ring(1)]])
      expect(simplified(network(input(27), select(0, index), conv(1, some)))).toBe('input select conv');
  });
});
