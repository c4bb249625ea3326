import type { ConvNode, DenseNode, Network, NetworkNode, SelectNode } from './network';

/**
 * Reference forward pass in float64: the value of every node for one input of `inputSize` values. For tests and tiny
 * nets; sums run in index order.
 */
export function evaluate(network: Network, x: ArrayLike<number>): Float64Array[] {
  if (x.length !== network.inputSize) {
    throw new RangeError(`the network takes ${network.inputSize} values, not ${x.length}`);
  }
  const values: Float64Array[] = [];
  for (const node of network.nodes) values.push(nodeValue(node, values, x));
  return values;
}

function nodeValue(node: NetworkNode, values: readonly Float64Array[], x: ArrayLike<number>): Float64Array {
  switch (node.kind) {
    case 'input':
      return Float64Array.from(x);
    case 'dense':
      return dense(node, values[node.from]);
    case 'conv':
      return conv(node, values[node.from]);
    case 'select':
      return select(node, values[node.from]);
    case 'relu':
      return values[node.from].map((value) => Math.max(value, 0));
    case 'add':
      return Float64Array.from({ length: node.size }, (_, i) => node.from.reduce((sum, id) => sum + values[id][i], 0));
  }
}

function dense({ weight, bias, size }: DenseNode, x: Float64Array): Float64Array {
  const out = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    let sum = bias[i];
    for (let k = 0, w = i * x.length; k < x.length; k++, w++) sum += weight[w] * x[k];
    out[i] = sum;
  }
  return out;
}

function select({ index, scale, bias, size }: SelectNode, x: Float64Array): Float64Array {
  return Float64Array.from({ length: size }, (_, i) => {
    const kept = index[i] < 0 ? 0 : (scale?.[i] ?? 1) * x[index[i]];
    return kept + (bias?.[i] ?? 0);
  });
}

function conv(node: ConvNode, x: Float64Array): Float64Array {
  const [outChannels, outHeight, outWidth] = node.outShape;
  const out = new Float64Array(node.size);
  for (let channel = 0, at = 0; channel < outChannels; channel++) {
    for (let row = 0; row < outHeight; row++) {
      for (let column = 0; column < outWidth; column++, at++) out[at] = convAt(node, x, channel, row, column);
    }
  }
  return out;
}

/** One value of a convolution: the filter of `channel` laid at (row, column) of the result. */
function convAt(node: ConvNode, x: Float64Array, channel: number, row: number, column: number): number {
  const [inChannels, height, width] = node.inShape;
  const [kernelHeight, kernelWidth] = node.kernel;
  const groupSize = inChannels / node.groups;
  const firstChannel = Math.floor(channel / (node.outShape[0] / node.groups)) * groupSize;
  const top = row * node.strides[0] - node.pads[0];
  const left = column * node.strides[1] - node.pads[1];
  let sum = node.bias[channel];
  for (let c = 0; c < groupSize; c++) {
    for (let i = 0; i < kernelHeight; i++) {
      const y = top + i * node.dilations[0];
      if (y < 0 || y >= height) continue;
      for (let j = 0; j < kernelWidth; j++) {
        const z = left + j * node.dilations[1];
        if (z < 0 || z >= width) continue;
        const weight = node.weight[((channel * groupSize + c) * kernelHeight + i) * kernelWidth + j];
        sum += weight * x[((firstChannel + c) * height + y) * width + z];
      }
    }
  }
  return sum;
}
