import { readdirSync, readFileSync } from 'node:fs';
import { parseDataSet } from '../../lib/dataset/open';
import { defaultPreprocessing, pixels } from '../../lib/dataset/preprocess';
import { ball } from '../../lib/region/ball';
import { labelOf } from '../../lib/region/violation';
import { readVnnlib } from '../../lib/region/vnnlib';
import { describeWithData, sharedData } from '../support/shared-data';

const read = (name: string) => ({ name, bytes: readFileSync(sharedData(name)) });

describeWithData('balls against the boxes that VNN-COMP published', () => {
  test('mnist_fc: each box is, to float32, the ball of an MNIST test image with that label', () => {
    const { dataset } = parseDataSet({
      data: read('mnist/t10k-images-idx3-ubyte.gz'),
      labels: read('mnist/t10k-labels-idx1-ubyte.gz'),
    });
    const preprocessing = defaultPreprocessing(dataset);
    const image = (i: number) => dataset.values.subarray(784 * i, 784 * (i + 1));
    const byContent = new Map<string, number>();
    for (let i = 0; i < dataset.count; i++) byContent.set(image(i).join(), i);

    const names = readdirSync(sharedData('vnnlib/mnist_fc'));
    expect(names).toHaveLength(30);
    for (const name of names) {
      const epsilon = Number(/_(0\.\d+)\.vnnlib/.exec(name)?.[1]);
      const [{ box, violation }] = readVnnlib(readFileSync(sharedData(`vnnlib/mnist_fc/${name}`)), name);
      // The centre of the published box before it was cut with [0, 1].
      const bytes = Array.from(box.upper, (upper, i) => {
        return Math.round(255 * (upper < 1 ? upper - epsilon : box.lower[i] + epsilon));
      });
      const index = byContent.get(bytes.join());
      expect({ name, index }).toEqual({ name, index: expect.any(Number) });
      expect(labelOf(violation)).toBe(dataset.labels[index!]);
      const ours = ball(pixels(image(index!), preprocessing, [784, 1]), epsilon, preprocessing, [784, 1]);
      const apart = (a: Float64Array, b: Float64Array) =>
        a.reduce((most, x, i) => Math.max(most, Math.abs(x - b[i])), 0);
      expect(apart(ours.lower, box.lower)).toBeLessThan(1e-7);
      expect(apart(ours.upper, box.upper)).toBeLessThan(1e-7);
    }
  });
});
