import type { AddNode, ConvNode, DenseNode, NetworkNode, SelectNode } from '../network/network';

export type AffineNode = DenseNode | ConvNode | SelectNode | AddNode;

/** Takes the products that carrying coefficients over a node makes. */
interface Receiver {
  /** Where those on the components of a node are added, [size]. */
  at(from: number): Float64Array;
  onConstant(product: number): void;
}

/** Carries coefficients [size] on an affine node to what it reads, product by product; zero coefficients and weights make none. */
export function carry(node: AffineNode, coefficients: Float64Array, to: Receiver): void {
  for (let j = 0; j < coefficients.length; j++) {
    const a = coefficients[j];
    if (a === 0) continue;
    const bias = biasOf(node, j);
    if (bias !== 0) to.onConstant(a * bias);
    if (node.kind === 'add') {
      for (const from of node.from) to.at(from)[j] += a;
      continue;
    }
    const own = to.at(node.from);
    if (node.kind === 'dense') addRow(own, node.weight, j, a);
    else
      forEachTerm(node, j, (index, weight) => {
        own[index] += a * weight;
      });
  }
}

/** Adds a row of a dense node, times a factor. A loop of its own: most of the time in float64 goes here. */
function addRow(to: Float64Array, weight: ArrayLike<number>, row: number, factor: number): void {
  for (let k = 0, i = row * to.length; k < to.length; k++, i++) if (weight[i] !== 0) to[k] += factor * weight[i];
}

/** Sum of the absolute values of a row of a dense node, times `tops`. A component that is always 0 contributes nothing, whatever the weight. */
function rowMagnitude(tops: Float64Array, weight: ArrayLike<number>, row: number, start: number): number {
  let sum = start;
  for (let k = 0, i = row * tops.length; k < tops.length; k++, i++)
    if (tops[k] !== 0 && weight[i] !== 0) sum += Math.abs(weight[i]) * tops[k];
  return sum;
}

/**
 * |W| H + |b| of an affine node, [size]: sums of the absolute values of the terms of each of its values, where H bounds the absolute values of what
 * it reads.
 */
export function magnitudes(node: AffineNode, reach: readonly Float64Array[]): Float64Array {
  return Float64Array.from({ length: node.size }, (_, j) => {
    let sum = Math.abs(biasOf(node, j));
    if (node.kind === 'add') return node.from.reduce((total, from) => total + reach[from][j], sum);
    const tops = reach[node.from];
    if (node.kind === 'dense') return rowMagnitude(tops, node.weight, j, sum);
    forEachTerm(node, j, (index, weight) => {
      if (tops[index] !== 0) sum += Math.abs(weight) * tops[index];
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

/** The weights other than 0 of value `j` of the node, by component of what it reads. */
function forEachTerm(node: ConvNode | SelectNode, j: number, visit: (index: number, weight: number) => void): void {
  if (node.kind === 'conv') {
    forEachConvTerm(node, j, visit);
    return;
  }
  const scale = node.scale?.[j] ?? 1;
  if (node.index[j] >= 0 && scale !== 0) visit(node.index[j], scale);
}

function forEachConvTerm(
  { weight, inShape, outShape, kernel, strides, pads, dilations, groups }: ConvNode,
  j: number,
  visit: (index: number, weight: number) => void,
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
        if (x >= 0 && x < inWidth && w !== 0) visit(((first + c) * inHeight + y) * inWidth + x, w);
      }
    }
  }
}
