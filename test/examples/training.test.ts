import { drawDigits, trainingSeed } from '../../examples/digits/drawing/digits';
import { imageSize } from '../../examples/digits/drawing/pen';
import { createRandom } from '../../examples/digits/random';
import { adam } from '../../examples/digits/training/adam';
import { perturbed } from '../../examples/digits/training/attack';
import { convolutional, fullyConnected } from '../../examples/digits/training/classifiers';
import { parameter } from '../../examples/digits/training/layers';
import { crossEntropy } from '../../examples/digits/training/loss';
import { accuracy, type Model, scores } from '../../examples/digits/training/model';
import { toOnnx } from '../../examples/digits/training/onnx';
import { trainRobust } from '../../examples/digits/training/robust';

const { images, labels } = drawDigits(120, trainingSeed);
const input = Float64Array.from(images, (grey) => grey / 255);
const settings = { epochs: 5, batchSize: 6, learningRate: 0.005, weightDecay: 0.2, epsilon: 0.02 };

function trained(build: typeof fullyConnected, epochs = settings.epochs): { model: Model; losses: number[] } {
  const random = createRandom(5);
  const model = build(random);
  return { model, losses: trainRobust(model, { input, labels }, { ...settings, epochs }, random) };
}

const builders: readonly [string, typeof fullyConnected][] = [
  ['fully connected', fullyConnected],
  ['convolutional', convolutional],
];

test.each(builders)('a few %s training steps lower the loss', (_, build) => {
  const { model, losses } = trained(build);
  expect(losses).toHaveLength(5);
  expect(losses[4]).toBeLessThan(0.6 * losses[0]);
  expect(accuracy(model, input, labels)).toBeGreaterThan(0.5);
});

test.each(builders)('%s training writes the same file every time', (_, build) => {
  const [first, again] = [trained(build, 1), trained(build, 1)];
  expect(again.losses).toEqual(first.losses);
  const file = ({ model }: { model: Model }) => Buffer.from(toOnnx(model, 'again', [1, imageSize, imageSize]));
  expect(file(again).equals(file(first))).toBe(true);
});

test('perturbed inputs stay in the ball and in [0, 1], and are harder than random ones', () => {
  const { model } = trained(fullyConnected);
  const lossOf = (point: Float64Array) => crossEntropy(scores(model, point, labels.length), labels).loss;
  const attack = { epsilon: 0.05, steps: 1, stepLength: 1.25 };
  const hard = perturbed(model, input, labels, attack, createRandom(3));
  const random = perturbed(model, input, labels, { ...attack, steps: 0 }, createRandom(3));
  for (const point of [hard, random]) {
    expect(point.every((pixel, i) => pixel >= 0 && pixel <= 1 && Math.abs(pixel - input[i]) <= 0.05 + 1e-12)).toBe(
      true,
    );
  }
  expect(lossOf(hard)).toBeGreaterThan(1.1 * lossOf(random));
});

test('Adam: the first step is the learning rate against the sign of the gradient, after decay', () => {
  const weights = parameter(2);
  weights.value.set([1, -2]);
  weights.gradient.set([0.3, -4]);
  adam([weights], { weightDecay: 0.5 })(0.1);
  expect(weights.value[0]).toBeCloseTo(1 - 0.1 * (1 + 0.5), 6);
  expect(weights.value[1]).toBeCloseTo(-2 - 0.1 * (-1 - 1), 6);
});
