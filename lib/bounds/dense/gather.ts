import type { Lend } from '../buffers';
import type { ChainLayer, DenseChain } from './chain';
import type { CompactLayer } from './compact';
import type { NeuronLists } from './lists';

/** What weights are gathered on: the compacted layer below. */
type Below = Pick<CompactLayer, 'alive' | 'columns' | 'scale'>;

/** [G, size of the last layer, columns]: all rows of the last layer. */
export function outputWeights({ layers }: DenseChain, groups: number, below: Below, lend: Lend): Float32Array {
  const last = layers[layers.length - 1];
  const { size } = last;
  const every = Int32Array.from({ length: size }, (_, j) => j);
  const weights = lend(groups * size * below.columns);
  for (let b = 0; b < groups; b++) {
    const lists = { size: 0, list: every, count: new Int32Array(groups).fill(size) };
    gatherRows(last, lists, b, below, weights, b * size * below.columns);
  }
  return weights;
}

/** Writes the weights of a ball's listed neurons, one row each: on its neurons of the layer below, and the bias last. */
export function gatherRows(
  { weight, bias, size }: ChainLayer,
  rows: NeuronLists,
  b: number,
  { alive, columns, scale }: Below,
  to: Float32Array,
  start: number,
): void {
  const inner = weight.length / size;
  const width = alive.count[b];
  const places = alive.list.subarray(b * alive.size, b * alive.size + width);
  const factors = scale.subarray(b * columns, b * columns + width);
  const listed = b * rows.size;
  const last = columns - 1;
  for (let r = 0, at = start; r < rows.count[b]; r++, at += columns) {
    const j = rows.list[listed + r];
    const own = weight.subarray(j * inner, j * inner + inner);
    for (let i = 0; i < width; i++) to[at + i] = own[places[i]] * factors[i];
    for (let i = width; i < last; i++) to[at + i] = 0;
    to[at + last] = bias[j];
  }
}
