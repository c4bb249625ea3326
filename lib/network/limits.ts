/**
 * What a model may ask of this process, whoever wrote it. A file of a few bytes can declare tensors of any size (ConstantOfShape, Expand, Pad,
 * Tile, ...), so sizes are checked where tensors are made, before memory is taken for them.
 */
export const networkLimits = {
  /** Of the file. The largest classifiers that are verified have some 100 MB. */
  modelBytes: 512 * 2 ** 20,
  /** Values of one tensor: 2 GB as float64. */
  tensorValues: 2 ** 28,
  /** Values of one input: an image of 2048 x 2048 in four channels. */
  inputValues: 2 ** 24,
} as const;

/** What is wrong with a model's file of so many bytes, if anything: `has ...`. */
export function modelSizeProblem(bytes: number): string | undefined {
  if (bytes <= networkLimits.modelBytes) return undefined;
  return `has ${bytes} bytes; models of at most ${networkLimits.modelBytes} are read: export a smaller one`;
}
