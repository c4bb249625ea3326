import type * as ort from 'onnxruntime-node';
import type { NodeId } from '../network/network';
import type { Lend } from './buffers';
import { setLine } from './dense/lines';
import { bitsOf, isAbove0 } from './dense/lists';
import type { NodeBounds } from './forward-pass';
import { gamma } from './rounding';
import { shapedTensor } from './sessions';

/** A table that emitBackward reads, [balls, size]. */
export interface Table {
  readonly values: Float32Array;
  readonly size: number;
  /** How a ball's part is laid out. */
  readonly shape: 'row' | 'column' | 'flat';
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
    const shapes = { row: [balls, 1, size], column: [balls, size, 1], flat: [balls, size] };
    feeds[name] = shapedTensor(own, shapes[shape]);
  }
  return feeds;
}

/**
 * Sets the lines of a ReLU (dense/lines.ts). Those of inactive neurons are 0, so that nothing passes.
 *
 * @param bounds [balls of the chunk, size]
 * @param base [size], what the lines' constants begin with: the bias, or 0
 * @param additions of constants of other nodes that a row's constant takes part in
 * @param order the balls of the table's rows
 */
export function setLines(
  tables: Tables,
  relu: NodeId,
  bounds: NodeBounds,
  base: Float32Array,
  additions: number,
  lend: Lend,
  order: readonly number[],
): void {
  const bits = bitsOf(bounds.upper);
  const size = base.length;
  const count = order.length * size;
  const table = (): Float32Array => lend(count).fill(0);
  const lines = { scale: table(), ratio: table(), shift: table(), bend: table() };
  const alive = new Int32Array(size);
  for (let place = 0; place < order.length; place++) {
    const start = order[place] * size;
    let width = 0;
    for (let j = 0; j < size; j++) {
      alive[width] = j;
      // NaN is alive, so that nothing is proven from it.
      width += isAbove0(bits[start + j]);
    }
    // Sums with exact zeros round nothing.
    const g = gamma(width + additions);
    for (let n = 0; n < width; n++)
      setLine(lines, place * size + alive[n], bounds, start + alive[n], base, alive[n], g);
  }
  tables[`scale${relu}`] = { values: lines.scale, size, shape: 'row' };
  tables[`ratio${relu}`] = { values: lines.ratio, size, shape: 'row' };
  tables[`shift${relu}`] = { values: lines.shift, size, shape: 'column' };
  tables[`bend${relu}`] = { values: lines.bend, size, shape: 'column' };
}

/** Sets the boxes of the input, or bounds of what a ReLU reads where rows end at it; `order` as in setLines. */
export function setBox(
  tables: Tables,
  names: readonly [string, string],
  parts: readonly [Float32Array, Float32Array],
  size: number,
  lend: Lend,
  order?: readonly number[],
): void {
  for (const [k, name] of names.entries()) {
    const values = order ? inOrder(parts[k], size, lend, order) : parts[k];
    tables[name] = { values, size, shape: 'flat' };
  }
}

function inOrder(from: Float32Array, size: number, lend: Lend, order: readonly number[]): Float32Array {
  const values = lend(order.length * size);
  for (const [place, ball] of order.entries()) values.set(from.subarray(ball * size, (ball + 1) * size), place * size);
  return values;
}
