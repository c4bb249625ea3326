import type { AddNode, ConvNode, DenseNode, Network, NetworkNode, SelectNode } from '../network/network';

export type AffineNode = DenseNode | ConvNode | SelectNode | AddNode;

/** Takes the products that carrying coefficients over a node makes: on component `index` of `from`, and on the constant. */
interface Receiver {
  onInput(from: number, index: number, product: number): void;
  onConstant(product: number): void;
}

/** Carries coefficients [size] on an affine node to what it reads, product by product; zero coefficients and weights make none. */
export function carry(network: Network, node: AffineNode, coefficients: Float64Array, to: Receiver): void {
  for (let j = 0; j < coefficients.length; j++) {
    const a = coefficients[j];
    if (a === 0) continue;
    const bias = biasOf(node, j);
    if (bias !== 0) to.onConstant(a * bias);
    forEachTerm(network, node, j, (from, index, weight) => to.onInput(from, index, a * weight));
  }
}

/**
 * |W| H + |b| of an affine node, [size]: sums of the absolute values of the terms of each of its values, where H bounds the absolute values of what
 * it reads.
 */
export function magnitudes(network: Network, node: AffineNode, reach: readonly Float64Array[]): Float64Array {
  return Float64Array.from({ length: node.size }, (_, j) => {
    let sum = Math.abs(biasOf(node, j));
    forEachTerm(network, node, j, (from, index, weight) => {
      const top = reach[from][index];
      // A component that is always 0 contributes nothing, whatever the weight.
      if (top !== 0) sum += Math.abs(weight) * top;
    });
    return sum;
  });
}

/** Most products that `carry` may add up on one component of a node that this node reads. */
export function readings(node: NetworkNode): number {
  switch (node.kind) {
    case 'conv':
      return (node.outShape[0] / node.groups) * node.kernel[0] * node.kernel[1];
    case 'add':
      return node.from.length;
    case 'relu':
      return 2;
    default:
      return node.size;
  }
}

function biasOf(node: AffineNode, j: number): number {
  switch (node.kind) {
    case 'dense':
      return node.bias[j];
    case 'conv':
      return node.bias[Math.floor(j / (node.outShape[1] * node.outShape[2]))];
    case 'select':
      return node.bias?.[j] ?? 0;
    case 'add':
      return 0;
  }
}

/** The weights other than 0 of value `j` of the node. */
function forEachTerm(
  network: Network,
  node: AffineNode,
  j: number,
  visit: (from: number, index: number, weight: number) => void,
): void {
  switch (node.kind) {
    case 'dense': {
      const { weight, from } = node;
      const columns = network.nodes[from].size;
      for (let k = 0, at = j * columns; k < columns; k++, at++) if (weight[at] !== 0) visit(from, k, weight[at]);
      return;
    }
    case 'select': {
      const scale = node.scale?.[j] ?? 1;
      if (node.index[j] >= 0 && scale !== 0) visit(node.from, node.index[j], scale);
      return;
    }
    case 'add':
      for (const from of node.from) visit(from, j, 1);
      return;
    case 'conv':
      forEachConvTerm(node, j, visit);
  }
}

function forEachConvTerm(
  { from, weight, inShape, outShape, kernel, strides, pads, dilations, groups }: ConvNode,
  j: number,
  visit: (from: number, index: number, weight: number) => void,
): void {
  const [outChannels, outHeight, outWidth] = outShape;
  const [inChannels, inHeight, inWidth] = inShape;
  const channel = Math.floor(j / (outHeight * outWidth));
  const top = (Math.floor(j / outWidth) % outHeight) * strides[0] - pads[0];
  const left = (j % outWidth) * strides[1] - pads[1];
  const depth = inChannels / groups;
  const first = Math.floor(channel / (outChannels / groups)) * depth;
  for (let c = 0; c < depth; c++) {
    for (let ky = 0; ky < kernel[0]; ky++) {
      const y = top + ky * dilations[0];
      if (y < 0 || y >= inHeight) continue;
      for (let kx = 0; kx < kernel[1]; kx++) {
        const x = left + kx * dilations[1];
        const w = weight[((channel * depth + c) * kernel[0] + ky) * kernel[1] + kx];
        if (x >= 0 && x < inWidth && w !== 0) visit(from, ((first + c) * inHeight + y) * inWidth + x, w);
      }
    }
  }
}
