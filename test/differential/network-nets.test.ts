import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { evaluate } from '../../lib/network/evaluate';
import { loadModel } from '../../lib/network/original';
import { describeWithData, sharedData } from '../support/shared-data';

const images = 100;

/** The first MNIST test images, values in [0, 1]. */
function mnist(): Float32Array[] {
  const pixels = gunzipSync(readFileSync(sharedData('mnist/t10k-images-idx3-ubyte.gz'))).subarray(16);
  return Array.from({ length: images }, (_, i) =>
    Float32Array.from(pixels.subarray(784 * i, 784 * (i + 1)), (p) => p / 255),
  );
}

/** CIFAR-10 images from rows of label and channels-last values 0-255, to channels first in [0, 1]. */
function cifar(): Float32Array[] {
  const lines = readFileSync(sharedData('cifar/eran_cifar10_100.csv'), 'utf8').trim().split('\n');
  return lines.slice(0, images).map((line) => {
    const values = line.split(',').slice(1).map(Number);
    return Float32Array.from({ length: 3072 }, (_, i) => values[(i % 1024) * 3 + Math.floor(i / 1024)] / 255);
  });
}

describeWithData('normal form of real networks against ONNX Runtime', () => {
  const nets: [string, () => Float32Array[], string][] = [
    ['mnist-net_256x2', mnist, 'input dense relu dense relu dense'],
    ['mnist-net_256x4', mnist, 'input dense relu dense relu dense relu dense relu dense'],
    ['mnist_6_100', mnist, 'input dense relu dense relu dense relu dense relu dense relu dense'],
    ['mnist_conv_small', mnist, 'input conv relu conv relu dense relu dense'],
    ['cifar_conv_small', cifar, 'input conv relu conv relu dense relu dense'],
    ['cifar_base_kw', cifar, 'input conv relu conv relu dense relu dense'],
  ];
  test.each(nets)('%s agrees on 100 images', async (name, read, kinds) => {
    const { file, original } = await loadModel(readFileSync(sharedData(`nets/${name}.onnx`)), name);
    const { network } = file;
    expect(network.nodes.map(({ kind }) => kind).join(' ')).toBe(kinds);
    expect(network.classes).toBe(10);
    const inputs = read();
    expect(inputs).toHaveLength(images);
    let worst = 0;
    for (const input of inputs) {
      const wanted = await original.scores(input, 1);
      evaluate(network, input)[network.output].forEach((score, k) => {
        worst = Math.max(worst, Math.abs(score - wanted[k]) / Math.max(1, Math.abs(wanted[k])));
      });
    }
    await original.release();
    expect(worst).toBeLessThan(1e-4);
  });
});
