import { readFileSync } from 'node:fs';
import { createBounder } from '../../lib/bounds/bounder';
import { marginRows, provenMargin } from '../../lib/bounds/margin';
import { parseDataSet } from '../../lib/dataset/open';
import { defaultPreprocessing, pixels } from '../../lib/dataset/preprocess';
import { readNetwork } from '../../lib/network/read';
import { ball } from '../../lib/region/ball';
import { misclassification } from '../../lib/region/violation';
import { describeWithData, sharedData } from '../support/shared-data';

const read = (name: string) => ({ name, bytes: readFileSync(sharedData(name)) });

/** How many of the first 100 MNIST test images CROWN proves robust. */
async function proven(net: string, epsilon: number): Promise<number> {
  const { network } = readNetwork(read(`nets/${net}.onnx`).bytes);
  const { dataset } = parseDataSet({
    data: read('mnist/t10k-images-idx3-ubyte.gz'),
    labels: read('mnist/t10k-labels-idx1-ubyte.gz'),
  });
  const preprocessing = defaultPreprocessing(dataset);
  const violations = Array.from(dataset.labels.subarray(0, 100), (label) => misclassification(label, 10));
  const bounder = createBounder(network);
  try {
    const bounds = await bounder.bound(
      violations.map((violation, i) => {
        const image = pixels(dataset.values.subarray(784 * i, 784 * (i + 1)), preprocessing, network.inputShape);
        return { box: ball(image, epsilon, preprocessing, network.inputShape), rows: marginRows(violation) };
      }),
    );
    return bounds.filter(({ rows }, i) => provenMargin(violations[i], rows) > 0).length;
  } finally {
    await bounder.release();
  }
}

describeWithData(
  'what bounds alone prove of the first 100 MNIST test images, by other implementations of CROWN',
  () => {
    test.each([
      ['mnist-net_256x2', 0.02, 69],
      ['mnist-net_256x4', 0.02, 82],
      ['mnist_6_100', 0.02, 47],
      ['mnist_conv_small', 0.02, 99],
      ['mnist_conv_small', 0.05, 95],
    ])('%s at %d: at least %d', async (net, epsilon, anchor) => {
      expect(await proven(net, epsilon)).toBeGreaterThanOrEqual(anchor);
    });
  },
);
