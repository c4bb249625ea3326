import type * as ort from 'onnxruntime-node';
import type { NodeId } from '../network/network';
import type { Lend } from './buffers';
import { setLine } from './dense/lines';
import type { NodeBounds } from './forward-pass';
import { gamma } from './rounding';
import { shapedTensor } from './sessions';

/** A table that emitBackward reads, [balls, size]. */
export interface Table {
  readonly values: Float32Array;
  readonly size: number;
  /** How a ball's part is laid out. */
  readonly shape: 'row' | 'column';
}

/** By input name: centre, radius, and four per ReLU. */
export type Tables = { [name: string]: Table };

/** The tables of some balls as inputs. */
export function feedsOf(
  tables: Tables,
  names: readonly string[],
  first: number,
  balls: number,
): { [name: string]: ort.Tensor } {
  const feeds: { [name: string]: ort.Tensor } = {};
  for (const name of names) {
    const { values, size, shape } = tables[name];
    const own = values.subarray(first * size, (first + balls) * size);
    feeds[name] = shapedTensor(own, shape === 'row' ? [balls, 1, size] : [balls, size, 1]);
  }
  return feeds;
}

/**
 * Sets the lines of a ReLU (dense/lines.ts). Those of inactive neurons are 0, so that nothing passes.
 *
 * @param bounds [balls of the chunk, size]
 * @param alive how many neurons are not inactive on each ball
 * @param base [size], what the lines' constants begin with: the bias, or 0
 * @param additions of constants of other nodes that a row's constant takes part in
 * @param order the balls of the table's rows
 */
export function setLines(
  tables: Tables,
  relu: NodeId,
  bounds: NodeBounds,
  alive: Int32Array,
  base: Float32Array,
  additions: number,
  lend: Lend,
  order: readonly number[],
): void {
  const { upper } = bounds;
  const size = base.length;
  const count = order.length * size;
  const lines = { scale: lend(count), ratio: lend(count), shift: lend(count), bend: lend(count) };
  const { scale, ratio, shift, bend } = lines;
  for (let place = 0; place < order.length; place++) {
    const start = order[place] * size;
    // Sums with exact zeros round nothing.
    const g = gamma(alive[order[place]] + additions);
    for (let j = 0, i = start, at = place * size; j < size; j++, i++, at++) {
      if (upper[i] <= 0) scale[at] = ratio[at] = shift[at] = bend[at] = 0;
      else setLine(lines, at, bounds, i, base, j, g);
    }
  }
  tables[`scale${relu}`] = { values: lines.scale, size, shape: 'row' };
  tables[`ratio${relu}`] = { values: lines.ratio, size, shape: 'row' };
  tables[`shift${relu}`] = { values: lines.shift, size, shape: 'column' };
  tables[`bend${relu}`] = { values: lines.bend, size, shape: 'column' };
}

/** Sets the boxes of the node where rows end. @param box [balls of the tables, size] */
export function setBox(
  tables: Tables,
  node: NodeId,
  { centre, radius }: { readonly centre: Float32Array; readonly radius: Float32Array },
  size: number,
): void {
  tables[`centre${node}`] = { values: centre, size, shape: 'column' };
  tables[`radius${node}`] = { values: radius, size, shape: 'column' };
}
