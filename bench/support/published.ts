import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { writeNpy } from '../../lib/dataset/npy';
import { readVnnlib } from '../../lib/region/vnnlib';
import type { BallVerdict } from '../../lib/report/record';
import { type Images, readBenchmark, readMnist } from './data';
import { type KnownInstance, knownInstances } from './verdicts';

/** The balls of the `mnist_fc` properties of a network as a data set, for a run of its own. */
export interface PublishedBalls {
  readonly data: string;
  readonly labels: string;
  /** Comma-separated. */
  readonly epsilons: string;
  compare(balls: readonly BallVerdict[]): Comparison;
}

export interface Comparison {
  readonly properties: number;
  readonly agree: number;
  /** Neither proven nor refuted by the run. */
  readonly open: number;
  /** What contradicts a published verdict, for people; empty when all is well. */
  readonly contradictions: readonly string[];
}

/** Writes the images of the properties and their labels into the folder. */
export function writePublished(network: string, folder: string): PublishedBalls {
  const mnist = readMnist();
  const known = knownInstances('mnist_fc')
    .filter((instance) => instance.network === network)
    .map((instance) => {
      const epsilon = /_(0\.\d+)\.vnnlib$/.exec(instance.property)?.[1] ?? '';
      return { ...instance, epsilon, image: imageOf(mnist, instance, Number(epsilon)) };
    });
  const images = [...new Set(known.map(({ image }) => image))];
  const files = { data: path.join(folder, 'images.npy'), labels: path.join(folder, 'labels.npy') };
  mkdirSync(folder, { recursive: true });
  const values = Uint8Array.from(images.flatMap((image) => [...mnist.bytes(image)]));
  writeFileSync(files.data, writeNpy({ shape: [images.length, 28, 28], values }));
  const labels = Uint8Array.from(images, (image) => mnist.labels[image]);
  writeFileSync(files.labels, writeNpy({ shape: [images.length], values: labels }));
  return {
    ...files,
    epsilons: [...new Set(known.map(({ epsilon }) => epsilon))].join(','),
    compare(balls) {
      let [agree, open] = [0, 0];
      const contradictions: string[] = [];
      for (const { property, epsilon, image, verdict } of known) {
        const index = images.indexOf(image);
        const ours = balls.find((ball) => ball.index === index && ball.epsilon === epsilon)?.verdict ?? 'missing';
        if (ours === 'unknown') open++;
        else if (ours === (verdict === 'unsat' ? 'robust' : 'not-robust')) agree++;
        else contradictions.push(`${property} is ${verdict}, the run says ${ours}`);
      }
      return { properties: known.length, agree, open, contradictions };
    },
  };
}

/** The index of the MNIST test image that a property is about. */
function imageOf(mnist: Images, { property, propertyFile }: KnownInstance, epsilon: number): number {
  const [{ box }] = readVnnlib(readBenchmark(propertyFile).bytes, propertyFile);
  // The centre of the box before it was cut with [0, 1].
  const centre = Array.from(box.upper, (upper, i) => (upper < 1 ? upper - epsilon : box.lower[i] + epsilon));
  const bytes = Uint8Array.from(centre, (pixel) => Math.round(255 * pixel));
  const found = mnist.labels.findIndex((_, index) => {
    const image = mnist.bytes(index);
    return bytes.every((value, i) => value === image[i]);
  });
  if (found < 0) throw new Error(`${property} is about no MNIST test image`);
  return found;
}
