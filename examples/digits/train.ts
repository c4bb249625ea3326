/**
 * Trains both classifiers again, a minute or two on one core: `node scripts/run-ts.cjs examples/digits/train.ts [folder]`.
 * The same machine and Node version write the same bytes every time.
 */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Digits, drawDigits, testCount, testSeed, trainingCount, trainingSeed } from './drawing/digits';
import { imageSize } from './drawing/pen';
import { createRandom } from './random';
import { convolutional, fullyConnected } from './training/classifiers';
import { accuracy } from './training/model';
import { toOnnx } from './training/onnx';
import { type TrainingSet, type TrainingSettings, trainRobust } from './training/robust';

const toInputs = ({ images, labels }: Digits): TrainingSet => ({
  input: Float64Array.from(images, (grey) => grey / 255),
  labels,
});

const common = { batchSize: 50, learningRate: 0.003, weightDecay: 0.5, epsilon: 0.05 };
const classifiers: readonly { name: string; build: typeof fullyConnected; settings: TrainingSettings }[] = [
  { name: 'fc', build: fullyConnected, settings: { ...common, epochs: 20 } },
  { name: 'conv', build: convolutional, settings: { ...common, epochs: 12 } },
];

const [folder = __dirname] = process.argv.slice(2);
const training = toInputs(drawDigits(trainingCount, trainingSeed));
const test = toInputs(drawDigits(testCount, testSeed));

for (const { name, build, settings } of classifiers) {
  const random = createRandom(trainingSeed);
  const model = build(random);
  trainRobust(model, training, settings, random, (epoch, loss) =>
    console.log(`${name}: epoch ${epoch + 1} of ${settings.epochs}, loss ${loss.toFixed(4)}`),
  );
  const bytes = toOnnx(model, `digits-${name}`, [1, imageSize, imageSize]);
  const file = path.join(folder, `${name}.onnx`);
  writeFileSync(file, bytes);
  const share = (100 * accuracy(model, test.input, test.labels)).toFixed(1);
  console.log(`${file}: ${bytes.length} bytes, ${share} % of the test images right`);
}
