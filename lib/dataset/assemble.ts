import { type DataSet, type RawValues, shapeText, sizeOf, type Tensor } from './dataset';

/**
 * Inputs [count, ...item] and labels [count] or [count, 1] as a data set, or all problems: no inputs, counts that
 * differ, values that are not finite, labels that are not whole numbers.
 */
export function assemble(
  inputs: Tensor,
  labels: Tensor,
): { readonly dataset: DataSet } | { readonly problems: readonly string[] } {
  const problems: string[] = [];
  const [count, ...shape] = inputs.shape;
  if (shape.length === 0) {
    problems.push(`the inputs have shape ${shapeText(inputs.shape)}: give one row per input, [count, ...item]`);
  } else if (sizeOf(inputs.shape) === 0) {
    problems.push(`the inputs have shape ${shapeText(inputs.shape)}: there is nothing to verify`);
  }
  const [labelCount, ...rest] = labels.shape;
  if (labelCount === undefined || rest.some((dimension) => dimension !== 1)) {
    problems.push(`the labels have shape ${shapeText(labels.shape)}: give one class number per input, [count]`);
  } else if (labelCount !== count) {
    problems.push(`${count} inputs but ${labelCount} labels: are the two files of one data set?`);
  }
  const wrong = wrongLabels(labels.values);
  if (wrong !== undefined) problems.push(wrong);
  const notFinite = notFiniteValues(inputs.values, sizeOf(shape));
  if (notFinite !== undefined) problems.push(notFinite);
  if (problems.length > 0) return { problems };
  return { dataset: { count, shape, values: narrowed(inputs.values), labels: Int32Array.from(labels.values) } };
}

function wrongLabels(labels: RawValues): string | undefined {
  let wrong = 0;
  let first = -1;
  for (let i = 0; i < labels.length; i++) {
    if ((labels[i] | 0) === labels[i]) continue;
    if (wrong++ === 0) first = i;
  }
  if (wrong === 0) return undefined;
  return `${wrong} of ${labels.length} labels are not whole class numbers, the first is ${labels[first]} (input ${first})`;
}

/** "3 values are NaN or infinite ..." or undefined; `itemSize` is the number of values of one input. */
export function notFiniteValues(values: RawValues, itemSize: number): string | undefined {
  if (values instanceof Uint8Array) return undefined;
  let wrong = 0;
  let first = -1;
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i])) continue;
    if (wrong++ === 0) first = i;
  }
  if (wrong === 0) return undefined;
  const where = `input ${Math.floor(first / itemSize)}, value ${first % itemSize}`;
  return `${wrong} of ${values.length} values are NaN or infinite, the first is ${values[first]} (${where})`;
}

/**
 * Whole numbers from 0 to 255 with some above 1 are bytes, whatever type the file gives them: kept as uint8, they take
 * less room and get the preprocessing of bytes by default.
 */
function narrowed(values: RawValues): RawValues {
  if (values instanceof Uint8Array) return values;
  let largest = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (!(value >= 0 && value <= 255) || value % 1 !== 0) return values;
    if (value > largest) largest = value;
  }
  return largest > 1 ? Uint8Array.from(values) : values;
}
