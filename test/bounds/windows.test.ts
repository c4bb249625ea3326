import { type Bounder, createBounder } from '../../lib/bounds/bounder';
import { chunkOf } from '../../lib/bounds/chunk';
import { evaluate } from '../../lib/network/evaluate';
import type { Network } from '../../lib/network/network';
import type { NodeProto, TensorProto } from '../../lib/network/protobuf';
import { readNetwork } from '../../lib/network/read';
import { floatTensor } from '../../lib/network/tensor';
import type { Box } from '../../lib/region/box';
import { pointsOf, randomBox } from '../support/balls';
import { modelBytes, node, randomMlp, randomResidualNet, uniform } from '../support/models';

interface Layer {
  readonly channels: number;
  readonly kernel: readonly [number, number];
  readonly strides?: readonly [number, number];
  readonly pads?: readonly [number, number, number, number];
  readonly dilations?: readonly [number, number];
}

/** Convolutions with ReLU on [depth, height, width], then a dense layer on all. */
function convNet(seed: number, input: readonly [number, number, number], layers: readonly Layer[], shift = 0): Network {
  const draw = uniform(seed);
  const nodes: NodeProto[] = [];
  const initializers: TensorProto[] = [];
  let [depth, height, width] = input;
  let from = 'x';
  for (const [i, layer] of layers.entries()) {
    const { channels, kernel, strides = [1, 1], pads = [0, 0, 0, 0], dilations = [1, 1] } = layer;
    const terms = depth * kernel[0] * kernel[1];
    initializers.push(floatTensor(`k${i}`, [channels, depth, ...kernel], draw(channels * terms, Math.sqrt(3 / terms))));
    // Only the first layer is shifted, so that neurons of the next are unstable.
    const bias = draw(channels, 0.2).map((b) => (i === 0 ? b + shift : b));
    initializers.push(floatTensor(`c${i}`, [channels], bias));
    nodes.push(
      node('Conv', [from, `k${i}`, `c${i}`], `z${i}`, {
        strides: [...strides],
        pads: [...pads],
        dilations: [...dilations],
      }),
      node('Relu', [`z${i}`], `h${i}`),
    );
    const out = (length: number, axis: 0 | 1): number =>
      Math.floor((length + pads[axis] + pads[axis + 2] - dilations[axis] * (kernel[axis] - 1) - 1) / strides[axis]) + 1;
    [depth, height, width, from] = [channels, out(height, 0), out(width, 1), `h${i}`];
  }
  const features = depth * height * width;
  initializers.push(floatTensor('w', [3, features], draw(3 * features, Math.sqrt(3 / features))));
  initializers.push(floatTensor('b', [3], draw(3, 0.3)));
  nodes.push(node('Flatten', [from], 'flat'), node('Gemm', ['flat', 'w', 'b'], 'y', { transB: 1 }));
  return readNetwork(modelBytes({ nodes, initializers, input: ['batch', ...input], output: ['batch', 3] })).network;
}

/** Nets, and how many of their layers have windows. */
const nets: readonly (readonly [name: string, windows: number, network: Network])[] = [
  [
    'two convolutions with strides',
    1,
    convNet(
      1,
      [1, 14, 14],
      [
        { channels: 4, kernel: [4, 4], strides: [2, 2] },
        { channels: 5, kernel: [3, 3], strides: [2, 2] },
      ],
    ),
  ],
  [
    'uneven pads, strides and kernels',
    1,
    convNet(
      2,
      [2, 11, 13],
      [
        { channels: 3, kernel: [3, 2], strides: [1, 2], pads: [1, 0, 2, 1] },
        { channels: 4, kernel: [2, 3], strides: [2, 1], pads: [0, 2, 1, 1] },
      ],
    ),
  ],
  [
    'dilations',
    1,
    convNet(
      3,
      [1, 15, 14],
      [
        { channels: 3, kernel: [3, 3], dilations: [2, 1], pads: [2, 1, 2, 1] },
        { channels: 4, kernel: [2, 3], dilations: [3, 2], pads: [1, 2, 1, 2] },
      ],
    ),
  ],
  [
    'three convolutions',
    2,
    convNet(
      4,
      [1, 16, 16],
      [
        { channels: 3, kernel: [3, 3], pads: [1, 1, 1, 1] },
        { channels: 4, kernel: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] },
        { channels: 4, kernel: [2, 2], strides: [2, 1], pads: [0, 1, 0, 0] },
      ],
    ),
  ],
  ['a residual net', 1, readNetwork(randomResidualNet(5)).network],
];

const boxesOf = (network: Network, radius: number): Box[] =>
  Array.from({ length: 4 }, (_, i) => randomBox(network.inputSize, radius, 10 * i + 1));

/** Bounds of every ReLU's input, [balls, size], by the way that the network takes, or by the one of any network. */
async function layers({ programs }: Bounder, boxes: readonly Box[], inWindows = true) {
  const chunk = chunkOf(inWindows ? programs : { ...programs, windows: undefined }, boxes);
  await chunk.propagate();
  return programs.relus.map((relu) => chunk.preActivation(relu));
}

describe.each(nets)('%s', (_, count, network) => {
  const bounder = createBounder(network);
  afterAll(() => bounder.release());

  test('the layers after the first are bounded in windows', () => {
    expect(bounder.programs.windows?.of.size).toBe(count);
  });

  test.each([0.02, 0.2, 1])(
    'bounds on boxes of radius %d are those of the way of any network, to rounding',
    async (radius) => {
      const boxes = boxesOf(network, radius);
      const [found, expected] = [await layers(bounder, boxes), await layers(bounder, boxes, false)];
      let unstable = 0;
      let worst = 0;
      for (const [k, { lower, upper }] of expected.entries()) {
        for (let i = 0; i < lower.length; i++) {
          // Where one bound has decided the sign, the other need not be as good.
          if (!(lower[i] < 0 && upper[i] > 0)) {
            if (lower[i] > 1e-3 && found[k].lower[i] < 0) worst = Number.POSITIVE_INFINITY;
            if (upper[i] < -1e-3 && found[k].upper[i] > 0) worst = Number.POSITIVE_INFINITY;
            continue;
          }
          unstable++;
          const scale = 1 + Math.abs(lower[i]) + Math.abs(upper[i]);
          worst = Math.max(worst, Math.abs(found[k].lower[i] - lower[i]) / scale);
          worst = Math.max(worst, Math.abs(found[k].upper[i] - upper[i]) / scale);
        }
      }
      expect(unstable).toBeGreaterThan(10);
      expect(worst).toBeLessThan(1e-4);
    },
  );

  test.each([0.02, 0.2, 1])('no point or corner of a box of radius %d crosses a bound', async (radius) => {
    const boxes = boxesOf(network, radius);
    const found = await layers(bounder, boxes);
    let crossed = 0;
    let points = 0;
    for (const [ball, box] of boxes.entries()) {
      for (const x of pointsOf(box, 30, ball)) {
        points++;
        const values = evaluate(network, x);
        for (const [k, relu] of bounder.programs.relus.entries()) {
          const node = network.nodes[relu];
          if (node.kind !== 'relu') continue;
          const z = values[node.from];
          for (let j = 0, i = ball * node.size; j < node.size; j++, i++) {
            if (z[j] < found[k].lower[i] || z[j] > found[k].upper[i]) crossed++;
          }
        }
      }
    }
    expect(points).toBe(120);
    expect(crossed).toBe(0);
  });
});

test('where the first layer is affine on the box, bounds are the exact minima and maxima at its corners', async () => {
  const network = convNet(
    6,
    [2, 10, 9],
    [
      { channels: 3, kernel: [3, 3], pads: [1, 0, 1, 1], strides: [1, 2] },
      { channels: 4, kernel: [3, 2], pads: [1, 1, 0, 1], strides: [2, 1] },
    ],
    20,
  );
  const bounder = createBounder(network);
  const boxes = boxesOf(network, 1);
  const [first, second] = await layers(bounder, boxes);
  expect(first.lower.every((bound) => bound > 0)).toBe(true);
  const relu = network.nodes[bounder.programs.relus[1]];
  const node = relu.kind === 'relu' ? relu.from : 0;
  const { size } = network.nodes[node];
  let outside = 0;
  let exact = 0;
  for (const [ball, box] of boxes.entries()) {
    const centre = Float32Array.from(box.lower, (low, i) => (low + box.upper[i]) / 2);
    const at = (x: Float32Array): ArrayLike<number> => evaluate(network, x)[node];
    const value = at(centre);
    const [least, most] = [Float64Array.from(value), Float64Array.from(value)];
    for (let i = 0; i < centre.length; i++) {
      // Affine: the change along one input does not depend on the others.
      const [below, above] = [box.lower[i], box.upper[i]].map((x) => at(centre.with(i, x)));
      for (let j = 0; j < size; j++) {
        least[j] += Math.min(below[j], above[j]) - value[j];
        most[j] += Math.max(below[j], above[j]) - value[j];
      }
    }
    for (let j = 0, i = ball * size; j < size; j++, i++) {
      if (second.lower[i] > least[j] + 1e-6 || second.upper[i] < most[j] - 1e-6) outside++;
      if (least[j] - second.lower[i] < 2e-3 && second.upper[i] - most[j] < 2e-3) exact++;
    }
  }
  expect(outside).toBe(0);
  expect(exact).toBeGreaterThan(0);
  await bounder.release();
});

test('a layer whose windows are nearly all of the layer below has none, nor has a network without convolutions', async () => {
  const wide = convNet(
    7,
    [1, 6, 6],
    [
      { channels: 2, kernel: [3, 3] },
      { channels: 2, kernel: [3, 3] },
    ],
  );
  for (const network of [wide, readNetwork(randomMlp([4, 5, 5, 2], 8)).network]) {
    const bounder = createBounder(network);
    expect(bounder.programs.windows).toBeUndefined();
    await bounder.release();
  }
});

test('a ball that has left keeps the bounds of the interval step, and the others theirs', async () => {
  const [, , network] = nets[0];
  const bounder = createBounder(network);
  const boxes = boxesOf(network, 0.2);
  const all = await layers(bounder, boxes);
  const chunk = chunkOf(bounder.programs, boxes);
  const left = new Uint8Array(boxes.length);
  await chunk.propagate(async () => {
    left[1] = 1;
  }, left);
  const found = chunk.preActivation(bounder.programs.relus[1]);
  const size = found.lower.length / boxes.length;
  let looser = 0;
  let differing = 0;
  for (let i = 0; i < found.lower.length; i++) {
    const width = found.upper[i] - found.lower[i];
    const tight = all[1].upper[i] - all[1].lower[i];
    if (Math.floor(i / size) === 1) looser += width > tight + 1e-3 ? 1 : 0;
    else differing += Math.abs(width - tight) > 1e-4 ? 1 : 0;
  }
  expect(looser).toBeGreaterThan(0);
  expect(differing).toBe(0);
  await bounder.release();
});

test('tiles of few rows change nothing', async () => {
  const network = nets[3][2];
  const [usual, tight] = [createBounder(network), createBounder(network, { tileBytes: 1 })];
  const boxes = boxesOf(network, 0.2);
  const [expected, found] = [await layers(usual, boxes), await layers(tight, boxes)];
  let worst = 0;
  for (const [k, { lower, upper }] of expected.entries()) {
    for (let i = 0; i < lower.length; i++) {
      worst = Math.max(worst, Math.abs(found[k].lower[i] - lower[i]), Math.abs(found[k].upper[i] - upper[i]));
    }
  }
  expect(worst).toBeLessThan(1e-4);
  await Promise.all([usual.release(), tight.release()]);
});
