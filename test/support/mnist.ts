import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { sharedData } from './shared-data';

/** The first test images of MNIST, pixels in [0, 1], with their labels. */
export function firstMnist(count: number): { readonly images: Float32Array[]; readonly labels: number[] } {
  const unpacked = (file: string, header: number): Uint8Array =>
    gunzipSync(readFileSync(sharedData(`mnist/${file}`))).subarray(header);
  const pixels = unpacked('t10k-images-idx3-ubyte.gz', 16);
  const labels = unpacked('t10k-labels-idx1-ubyte.gz', 8);
  const images = Array.from({ length: count }, (_, i) =>
    Float32Array.from(pixels.subarray(784 * i, 784 * (i + 1)), (pixel) => pixel / 255),
  );
  return { images, labels: [...labels.subarray(0, count)] };
}
