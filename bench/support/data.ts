import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { DataSet, NamedBytes, Preprocessing } from '../../lib/dataset/dataset';
import { parseDataSet } from '../../lib/dataset/open';
import { defaultPreprocessing, pixels } from '../../lib/dataset/preprocess';
import { BadInputError } from '../../lib/errors';
import { ball } from '../../lib/region/ball';
import type { Box } from '../../lib/region/box';

const root = path.resolve(process.env.BAVERLY_DATA ?? path.join(__dirname, '../../../shared/data'));

/** Path of a file of the benchmark data: nets, MNIST, VNN-COMP properties; bench/README.md says where they come from. */
export function benchmarkFile(file: string): string {
  const full = path.join(root, file);
  if (existsSync(full)) return full;
  throw new BadInputError(`benchmark data ${file}`, [
    `there is no ${full}: set BAVERLY_DATA to the folder of the data (bench/README.md)`,
  ]);
}

export function readBenchmark(file: string): NamedBytes {
  return { name: path.basename(file), bytes: readFileSync(benchmarkFile(file)) };
}

export const mnistImages = 'mnist/t10k-images-idx3-ubyte.gz';
export const cifarImages = 'cifar/eran_cifar10_100.csv';
export const mnistLabels = 'mnist/t10k-labels-idx1-ubyte.gz';

/** A set of labelled images as networks take them. */
export interface Images {
  readonly labels: DataSet['labels'];
  /** The stored bytes of an image. */
  bytes(index: number): DataSet['values'];
  /** The image as the network's input. */
  pixels(index: number, inputShape: readonly number[]): Float32Array;
  ball(index: number, epsilon: number, inputShape: readonly number[]): Box;
}

/** The MNIST test set. */
export function readMnist(): Images {
  return readImages(readBenchmark(mnistImages), readBenchmark(mnistLabels));
}

/** @param layout of the stored values, where it is not the usual one of the format */
export function readImages(data: NamedBytes, labels?: NamedBytes, layout?: Preprocessing['layout']): Images {
  const { dataset } = parseDataSet({ data, ...(labels && { labels }) });
  const preprocessing: Preprocessing = { ...defaultPreprocessing(dataset), ...(layout && { layout }) };
  const size = dataset.values.length / dataset.count;
  const bytes = (index: number) => dataset.values.subarray(index * size, (index + 1) * size);
  return {
    labels: dataset.labels,
    bytes,
    pixels: (index, inputShape) => Float32Array.from(pixels(bytes(index), preprocessing, inputShape)),
    ball: (index, epsilon, inputShape) =>
      ball(pixels(bytes(index), preprocessing, inputShape), epsilon, preprocessing, inputShape),
  };
}
