/** What a stored data set may declare, whoever wrote its dataset.json; sizes are checked before anything is read by them. */
export const dataSetLimits = {
  inputs: 10_000_000,
  /** Inputs times radii of one run: its report is put together in the memory of one function, some 350 bytes for each ball (docs/scale.md). */
  balls: 5_000_000,
  /** Values of one input: an image of 2048 x 2048 in four channels. */
  inputValues: 2 ** 24,
} as const;
