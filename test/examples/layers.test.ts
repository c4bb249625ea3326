import { createRandom, type Random } from '../../examples/digits/random';
import { conv } from '../../examples/digits/training/conv';
import { dense, type Layer, relu } from '../../examples/digits/training/layers';
import { crossEntropy } from '../../examples/digits/training/loss';
import { inputGradient, type Model, parameterGradients, scores } from '../../examples/digits/training/model';

const step = 1e-5;

/** Central differences of `value` in every entry of `point`. */
function differences(point: Float64Array, value: () => number): Float64Array {
  return point.map((_, i) => {
    const kept = point[i];
    point[i] = kept + step;
    const above = value();
    point[i] = kept - step;
    const below = value();
    point[i] = kept;
    return (above - below) / (2 * step);
  });
}

function expectClose(actual: Float64Array, expected: Float64Array) {
  expect(actual.length).toBe(expected.length);
  const worst = actual.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i])), 0);
  expect(worst).toBeLessThan(1e-7);
  // A gradient that is zero everywhere would agree with a value that does not depend on the point.
  expect(Math.max(...actual.map(Math.abs))).toBeGreaterThan(1e-4);
}

const normals = (size: number, random: Random) => Float64Array.from({ length: size }, () => random.normal(1));

const layers: readonly [string, (random: Random) => Layer][] = [
  ['dense', (random) => dense(7, 5, random)],
  ['relu', () => relu(6)],
  [
    'strided, padded convolution',
    (random) => conv({ inChannels: 2, inSide: 6, outChannels: 3, kernel: 4, stride: 2, pad: 1 }, random),
  ],
  [
    'convolution that leaves a border unread',
    (random) => conv({ inChannels: 1, inSide: 6, outChannels: 2, kernel: 3, stride: 2, pad: 0 }, random),
  ],
];

describe.each(layers)('gradients of %s against differences', (_, build) => {
  const count = 3;
  const random = createRandom(1);
  const layer = build(random);
  const input = normals(count * layer.inputSize, random);
  const weights = normals(count * layer.outputSize, random);
  const value = () => layer.forward(input, count).reduce((sum, out, i) => sum + weights[i] * out, 0);

  test('in the input', () => {
    expectClose(layer.inputGradient(input, weights, count), differences(input, value));
  });

  test('in the parameters', () => {
    layer.addParameterGradients(input, weights, count);
    for (const parameter of layer.parameters) expectClose(parameter.gradient, differences(parameter.value, value));
    expect(layer.parameters).toHaveLength(layer.kind === 'relu' ? 0 : 2);
  });
});

test('a convolution by hand', () => {
  const layer = conv({ inChannels: 1, inSide: 3, outChannels: 1, kernel: 2, stride: 2, pad: 1 }, createRandom(1));
  layer.weight.value.set([1, 2, 3, 4]);
  layer.bias.value.set([0.5]);
  const image = Float64Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9);
  // The kernel lies over rows -1, 0 and columns -1, 0 first, then moves by two.
  expect([...layer.forward(image, 1)]).toEqual([4.5, 3 * 2 + 4 * 3 + 0.5, 2 * 4 + 4 * 7 + 0.5, 5 + 12 + 24 + 36 + 0.5]);
});

describe('a whole model', () => {
  const random = createRandom(2);
  const first = conv({ inChannels: 1, inSide: 5, outChannels: 2, kernel: 3, stride: 2, pad: 1 }, random);
  const model: Model = [first, relu(first.outputSize), dense(first.outputSize, 4, random)];
  const labels = Int32Array.of(3, 0);
  const input = normals(2 * 25, random);
  const loss = () => crossEntropy(scores(model, input, 2), labels).loss;

  test('gradient of the loss in the input', () => {
    expectClose(inputGradient(model, input, labels), differences(input, loss));
  });

  test('gradient of the loss in the parameters, which replaces an older one', () => {
    for (let time = 0; time < 2; time++) expect(parameterGradients(model, input, labels)).toBe(loss());
    for (const { gradient, value } of model.flatMap(({ parameters }) => parameters)) {
      expectClose(gradient, differences(value, loss));
    }
  });
});

test('the loss of huge scores is finite', () => {
  const { loss, gradient } = crossEntropy(Float64Array.of(1000, -1000, 0), Int32Array.of(1));
  expect(loss).toBeCloseTo(2000);
  expect([...gradient]).toEqual([1, -1, 0]);
});
