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
  const lists = { size: 0, list: every, count: new Int32Array(groups).fill(size) };
  for (let b = 0; b < groups; b++) {
    gatherRows(last, lists, b, below, weights, b * size * below.columns);
  }
  return weights;
}

/**
 * [G, columns, n]: first weights of each ball's neurons, then zeros. Copied here and not by a program, whose result would be copied once more.
 */
export function inputWeights(
  { inputRows, inputSize }: DenseChain,
  { list, count, size }: NeuronLists,
  columns: number,
  lend: Lend,
): Float32Array {
  const to = lend(count.length * columns * inputSize);
  for (let b = 0; b < count.length; b++) {
    let at = b * columns * inputSize;
    for (let n = 0; n < count[b]; n++, at += inputSize) to.set(inputRows[list[b * size + n]], at);
    to.fill(0, at, (b + 1) * columns * inputSize);
  }
  return to;
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
  // As integers: with indices that may be fractions, as far as the compiler knows, the loops take twice as long.
  const inner = (weight.length / size) | 0;
  const width = alive.count[b] | 0;
  const stride = columns | 0;
  const places = alive.list;
  const place0 = (b * alive.size) | 0;
  const factor0 = (b * columns) | 0;
  const neurons = rows.list;
  const first = (b * rows.size) | 0;
  const last = (first + rows.count[b]) | 0;
  let r = first;
  let at = start | 0;
  // Rows share places and factors: eight at a time take less than half as long as one by one.
  for (; r + 7 < last; r += 8, at += 8 * stride) {
    const f0 = neurons[r] * inner;
    const f1 = neurons[r + 1] * inner;
    const f2 = neurons[r + 2] * inner;
    const f3 = neurons[r + 3] * inner;
    const f4 = neurons[r + 4] * inner;
    const f5 = neurons[r + 5] * inner;
    const f6 = neurons[r + 6] * inner;
    const f7 = neurons[r + 7] * inner;
    const at1 = at + stride;
    const at2 = at1 + stride;
    const at3 = at2 + stride;
    const at4 = at3 + stride;
    const at5 = at4 + stride;
    const at6 = at5 + stride;
    const at7 = at6 + stride;
    for (let i = 0; i < width; i++) {
      const place = places[place0 + i];
      const factor = scale[factor0 + i];
      to[at + i] = weight[f0 + place] * factor;
      to[at1 + i] = weight[f1 + place] * factor;
      to[at2 + i] = weight[f2 + place] * factor;
      to[at3 + i] = weight[f3 + place] * factor;
      to[at4 + i] = weight[f4 + place] * factor;
      to[at5 + i] = weight[f5 + place] * factor;
      to[at6 + i] = weight[f6 + place] * factor;
      to[at7 + i] = weight[f7 + place] * factor;
    }
  }
  for (; r < last; r++, at += stride) {
    const from = neurons[r] * inner;
    for (let i = 0; i < width; i++) to[at + i] = weight[from + places[place0 + i]] * scale[factor0 + i];
  }
  for (let n = first, end = (start + stride) | 0; n < last; n++, end += stride) {
    for (let i = end - stride + width; i < end - 1; i++) to[i] = 0;
    to[end - 1] = bias[neurons[n]];
  }
}
