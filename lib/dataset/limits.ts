/** What a stored data set may declare, whoever wrote its dataset.json; sizes are checked before anything is read by them. */
export const dataSetLimits = {
  /** Inputs: the state of a run takes 35 bytes for each ball. */
  inputs: 10_000_000,
  /** Values of one input: an image of 2048 x 2048 in four channels. */
  inputValues: 2 ** 24,
} as const;
