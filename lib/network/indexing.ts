import type { Shape } from './network';
import { allowed, formatShape, refuse } from './values';

/** Distance in the row-major vector between neighbours along each axis. */
export function strides(shape: Shape): number[] {
  const result = new Array<number>(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis--) result[axis] = result[axis + 1] * shape[axis + 1];
  return result;
}

/**
 * Index of a rearrangement that treats each output axis on its own (transposition, slice, padding, expansion, window
 * of a pooling): `offsets[d][o]` is what coordinate o of output axis d adds to the position in the source, or -1 for
 * "outside". Returns one source position for each output value, -1 where any coordinate is outside.
 */
export function gatherIndex(offsets: readonly ArrayLike<number>[]): Int32Array {
  let index = Int32Array.of(0);
  for (const axis of offsets) {
    const next = new Int32Array(allowed(index.length * axis.length));
    for (let i = 0, out = 0; i < index.length; i++) {
      for (let o = 0; o < axis.length; o++, out++) next[out] = index[i] < 0 || axis[o] < 0 ? -1 : index[i] + axis[o];
    }
    index = next;
  }
  return index;
}

/** 0, step, 2 step, ...: the offsets of an axis that is kept as it is. */
export function wholeAxis(size: number, step: number): number[] {
  return Array.from({ length: size }, (_, i) => i * step);
}

/** The index that keeps every axis but one, whose coordinates are replaced by those given (-1 for "outside"). */
export function replaceAxis(shape: Shape, axis: number, coordinates: readonly number[]): Int32Array {
  const step = strides(shape);
  return gatherIndex(
    shape.map((size, d) =>
      d === axis ? coordinates.map((c) => (c < 0 ? -1 : c * step[d])) : wholeAxis(size, step[d]),
    ),
  );
}

/** Index of the transposition with out.shape[d] = shape[permutation[d]]. */
export function transposeIndex(shape: Shape, permutation: readonly number[]): Int32Array {
  const step = strides(shape);
  return gatherIndex(permutation.map((axis) => wholeAxis(shape[axis], step[axis])));
}

/** The shape two tensors are broadcast to (numpy's rule). */
export function broadcastShape(a: Shape, b: Shape): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, d) => {
    const x = a[d - rank + a.length] ?? 1;
    const y = b[d - rank + b.length] ?? 1;
    if (x !== y && x !== 1 && y !== 1) refuse(`shapes ${formatShape(a)} and ${formatShape(b)} do not broadcast`);
    return x === 1 ? y : x;
  });
}

/** Index of the expansion of a tensor of shape `from` to the broadcast shape `to`. */
export function broadcastIndex(from: Shape, to: Shape): Int32Array {
  const step = strides(from);
  return gatherIndex(
    to.map((size, d) => {
      const axis = d - to.length + from.length;
      return axis < 0 || from[axis] === 1 ? new Int32Array(allowed(size)) : wholeAxis(size, step[axis]);
    }),
  );
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i]);
}
