import { readFileSync } from 'node:fs';
import { judgeAccuracy } from '../../lib/dataset/accuracy';
import { checkDataSet } from '../../lib/dataset/check';
import type { DataSet, Preprocessing } from '../../lib/dataset/dataset';
import { parseDataSet } from '../../lib/dataset/open';
import { defaultPreprocessing, pixels } from '../../lib/dataset/preprocess';
import { loadOriginal } from '../../lib/network/original';
import { centre } from '../../lib/region/ball';
import { describeWithData, sharedData } from '../support/shared-data';

const read = (name: string) => ({ name, bytes: readFileSync(sharedData(name)) });

/** How many of the first 50 inputs the model classifies as labelled. */
async function correctOf50(net: string, inputShape: number[], dataset: DataSet, preprocessing: Preprocessing) {
  const model = await loadOriginal(readFileSync(sharedData(`nets/${net}.onnx`)), {
    input: inputShape,
    batch: 1,
    classes: 10,
  });
  const size = model.inputSize;
  let correct = 0;
  for (let i = 0; i < 50; i++) {
    const item = pixels(dataset.values.subarray(i * size, (i + 1) * size), preprocessing, inputShape);
    const scores = [...(await model.scores(centre(item, preprocessing, inputShape), 1))];
    if (scores.indexOf(Math.max(...scores)) === dataset.labels[i]) correct++;
  }
  await model.release();
  return correct;
}

describeWithData('clean accuracy tells the right preprocessing from wrong ones', () => {
  const chance = (correct: number) => judgeAccuracy(correct, 50, 10).kind;

  test('MNIST, by default', async () => {
    const files = { data: read('mnist/t10k-images-idx3-ubyte.gz'), labels: read('mnist/t10k-labels-idx1-ubyte.gz') };
    const { dataset } = parseDataSet(files);
    const byDefault = defaultPreprocessing(dataset);
    for (const [net, shape] of [
      ['mnist-net_256x2', [784, 1]],
      ['mnist_conv_small', [1, 28, 28]],
    ] as const) {
      expect(checkDataSet(dataset, byDefault, { inputShape: shape, classes: 10 })).toEqual([]);
      expect(await correctOf50(net, [...shape], dataset, byDefault)).toBeGreaterThanOrEqual(49);
    }
    const scaledTwice = { ...byDefault, scale: 1 / 255 / 255 };
    expect(chance(await correctOf50('mnist-net_256x2', [784, 1], dataset, scaledTwice))).toBe('near chance');
  });

  test('CIFAR-10, channels last, normalised by the model or before it', async () => {
    const { dataset } = parseDataSet({ data: read('cifar/eran_cifar10_100.csv') });
    const shape = [3, 32, 32];
    const flat = defaultPreprocessing(dataset);
    const image: Preprocessing = { ...flat, layout: 'HWC' };
    const normalised: Preprocessing = { ...image, mean: [0.485, 0.456, 0.406], std: [0.225, 0.225, 0.225] };
    expect(checkDataSet(dataset, normalised, { inputShape: shape, classes: 10 })).toEqual([]);
    expect(await correctOf50('cifar_conv_small', shape, dataset, image)).toBe(33);
    expect(chance(await correctOf50('cifar_conv_small', shape, dataset, flat))).toBe('near chance');
    expect(await correctOf50('cifar_base_kw', shape, dataset, normalised)).toBe(36);
    expect(chance(await correctOf50('cifar_base_kw', shape, dataset, image))).toBe('near chance');
  });
});
