/** How the values of one item are ordered in the data file; `flat` means in the model's own order. */
export type Layout = 'CHW' | 'HWC' | 'flat';

/**
 * From stored values to network inputs, stated explicitly for every data set:
 * pixel = raw * scale, must lie in `clip`; network input = (pixel - mean) / std per channel.
 * A radius epsilon is in the units of `pixel` (before mean and std), and balls are cut with `clip`.
 */
export interface Preprocessing {
  readonly layout: Layout;
  readonly scale: number;
  /** One value, or one per channel. */
  readonly mean: readonly number[];
  /** One value, or one per channel; all > 0. */
  readonly std: readonly number[];
  /** The valid range of a pixel, in pixel units. */
  readonly clip: readonly [number, number];
}

export type RawValues = Uint8Array | Float32Array | Float64Array;

/** An array as one file (or one entry of an archive) holds it: row-major values of `shape`. */
export interface Tensor {
  readonly shape: readonly number[];
  /** product(shape) values */
  readonly values: RawValues;
}

/** A data set in memory: `count` items of `shape`, stored one after the other as in the file, with a label each. */
export interface DataSet {
  readonly count: number;
  /** Shape of one item as the file has it, e.g. [28, 28] or [32, 32, 3]. */
  readonly shape: readonly number[];
  /** count * product(shape) raw values. */
  readonly values: RawValues;
  /** [count] */
  readonly labels: Int32Array;
}

/** The formats that `parseDataSet` reads (docs/datasets.md). */
export const dataFormats = ['idx', 'npz', 'npy', 'csv', 'cifar'] as const;
export type DataFormat = (typeof dataFormats)[number];

/** A file in memory; the name is used in messages and to guess the format. */
export interface NamedBytes {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Number of values of a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, dimension) => product * dimension, 1);
}

/** `[28, 28]`, for messages. */
export function shapeText(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}
