import type { Arena } from '../arena';
import type { Lend } from '../buffers';
import type { ChainLayer, DenseChain } from './chain';
import type { CompactLayer } from './compact';
import { wasm } from './gather-wasm';
import { emptyLists, type NeuronLists } from './lists';

/** What weights are gathered on: the compacted layer below. */
type Below = Pick<CompactLayer, 'alive' | 'columns' | 'scale'>;

/**
 * Writes the weights of each ball's listed neurons, one row each: on its neurons of the layer below, times what the weights are stored with (lines.ts), then zeros, and
 * the bias last.
 *
 * @param starts [G]: where in `to` the rows of each ball begin, `columns` each
 */
export type GatherRows = (
  layer: Pick<ChainLayer, 'weight' | 'bias' | 'size'>,
  rows: NeuronLists,
  below: Below,
  to: Float32Array,
  starts: Int32Array,
) => void;

/** The function that gather.wat exports: addresses and strides in bytes. */
type Gather = (
  weight: number,
  inner: number,
  bias: number,
  neurons: number,
  rows: number,
  places: number,
  width: number,
  factors: number,
  stride: number,
  to: number,
) => void;

/**
 * As `gatherPlainly`, the same to the last bit, in WebAssembly: this is the most that a bound does outside of ONNX Runtime, and in JavaScript, where each number is
 * checked to be inside of its array and becomes float64 on its way, takes four times as long. Arrays elsewhere than in the arena are gathered plainly.
 */
export function gathererIn(arena: Arena): GatherRows {
  const compiled = new WebAssembly.Module(Buffer.from(wasm, 'base64'));
  const { exports } = new WebAssembly.Instance(compiled, { arena: { memory: arena.memory } });
  const gather = exports.gather as Gather;
  return (layer, rows, below, to, starts) => {
    const { weight, bias, size } = layer;
    const { alive, columns, scale } = below;
    if (![weight, bias, rows.list, alive.list, scale, to].every((array) => arena.holds(array)))
      return gatherPlainly(layer, rows, below, to, starts);
    const inner = (4 * weight.length) / size;
    for (let b = 0; b < starts.length; b++)
      gather(
        weight.byteOffset,
        inner,
        bias.byteOffset,
        rows.list.byteOffset + 4 * b * rows.size,
        rows.count[b],
        alive.list.byteOffset + 4 * b * alive.size,
        alive.count[b],
        scale.byteOffset + 4 * b * columns,
        4 * columns,
        to.byteOffset + 4 * starts[b],
      );
  };
}

export const gatherPlainly: GatherRows = ({ weight, bias, size }, rows, { alive, columns, scale }, to, starts) => {
  const inner = weight.length / size;
  for (let b = 0; b < starts.length; b++) {
    const width = alive.count[b];
    for (let r = 0, at = starts[b]; r < rows.count[b]; r++, at += columns) {
      const j = rows.list[b * rows.size + r];
      for (let i = 0; i < width; i++)
        to[at + i] = weight[j * inner + alive.list[b * alive.size + i]] * scale[b * columns + i];
      to.fill(0, at + width, at + columns - 1);
      to[at + columns - 1] = bias[j];
    }
  }
};

/** [G], 0, step, 2 step, ...: where balls with so many numbers each begin. */
export function startsOf(groups: number, step: number): Int32Array {
  return Int32Array.from({ length: groups }, (_, b) => b * step);
}

/** [G, size of the last layer, columns]: all rows of the last layer. */
export function outputWeights(
  { layers, gatherRows }: DenseChain,
  groups: number,
  below: Below,
  lend: Lend,
): Float32Array {
  const last = layers[layers.length - 1];
  const { size } = last;
  const weights = lend(groups * size * below.columns);
  const { list, count } = emptyLists(groups, size, lend);
  for (let at = 0; at < list.length; at++) list[at] = at % size;
  gatherRows(last, { size, list, count: count.fill(size) }, below, weights, startsOf(groups, size * below.columns));
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
