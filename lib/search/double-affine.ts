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
      forEachRun(node, j, (weight, from, count, at, step) => {
        for (let n = 0; n < count; n++, at += step) if (weight[from + n] !== 0) own[at] += a * weight[from + n];
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
    forEachRun(node, j, (weight, from, count, at, step) => {
      for (let n = 0; n < count; n++, at += step)
        if (tops[at] !== 0 && weight[from + n] !== 0) sum += Math.abs(weight[from + n]) * tops[at];
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

/** Takes weights `from` ... `from + count - 1`, of components `at`, `at + step`, ... of what a node reads. By runs, because a number that is handed over is an object. */
type VisitRun = (weight: ArrayLike<number>, from: number, count: number, at: number, step: number) => void;

const one = [1];

/** The weights of value `j` of the node, some of them 0. */
function forEachRun(node: ConvNode | SelectNode, j: number, visit: VisitRun): void {
  if (node.kind === 'conv') forEachConvRun(node, j, visit);
  else if (node.index[j] >= 0) visit(node.scale ?? one, node.scale ? j : 0, 1, node.index[j], 1);
}

function forEachConvRun(
  { weight, inShape, outShape, kernel, strides, pads, dilations, groups }: ConvNode,
  j: number,
  visit: VisitRun,
): void {
  const [outChannels, outHeight, outWidth] = outShape;
  const [inChannels, inHeight, inWidth] = inShape;
  const channel = Math.floor(j / (outHeight * outWidth));
  const top = (Math.floor(j / outWidth) % outHeight) * strides[0] - pads[0];
  const left = (j % outWidth) * strides[1] - pads[1];
  const depth = inChannels / groups;
  const first = Math.floor(channel / (outChannels / groups)) * depth;
  const step = dilations[1];
  /** Places of the kernel that are inside of a row. */
  const begin = Math.max(0, Math.ceil(-left / step));
  const end = Math.min(kernel[1], Math.ceil((inWidth - left) / step));
  if (begin >= end) return;
  for (let c = 0; c < depth; c++) {
    for (let ky = 0; ky < kernel[0]; ky++) {
      const y = top + ky * dilations[0];
      if (y < 0 || y >= inHeight) continue;
      const from = ((channel * depth + c) * kernel[0] + ky) * kernel[1] + begin;
      visit(weight, from, end - begin, ((first + c) * inHeight + y) * inWidth + left + begin * step, step);
    }
  }
}
