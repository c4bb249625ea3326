import type { Random } from '../random';
import { addBias, addRows, type ConvLayer, type ConvShape, initialWeight, parameter } from './layers';
import { addTransposedTimes, times, timesTransposed } from './products';

/**
 * A convolution as a matrix product: every output position is a row that lists the input values under the kernel
 * ("im2col"), so that forward and gradients are those of a dense layer on [count * positions] rows.
 */
export function conv(shape: ConvShape, random: Random): ConvLayer {
  const { inChannels, inSide, outChannels, kernel, stride, pad } = shape;
  const outSide = Math.floor((inSide + 2 * pad - kernel) / stride) + 1;
  const positions = outSide * outSide;
  const patch = inChannels * kernel * kernel;
  const inputSize = inChannels * inSide * inSide;
  const outputSize = outChannels * positions;
  const sources = patchSources(shape, outSide);
  const weight = initialWeight(outChannels * patch, patch, random);
  const bias = parameter(outChannels);

  /** [count, inputSize] to [count * positions, patch] */
  const toPatches = (input: Float64Array, count: number) => {
    const rows = new Float64Array(count * sources.length);
    for (let n = 0; n < count; n++) {
      for (let i = 0; i < sources.length; i++) {
        if (sources[i] >= 0) rows[n * sources.length + i] = input[n * inputSize + sources[i]];
      }
    }
    return rows;
  };
  /** The transpose of `toPatches`: every patch value goes back, added, to where it was read. */
  const fromPatches = (rows: Float64Array, count: number) => {
    const input = new Float64Array(count * inputSize);
    for (let n = 0; n < count; n++) {
      for (let i = 0; i < sources.length; i++) {
        if (sources[i] >= 0) input[n * inputSize + sources[i]] += rows[n * sources.length + i];
      }
    }
    return input;
  };

  return {
    kind: 'conv',
    conv: shape,
    inputSize,
    outputSize,
    outSide,
    parameters: [weight, bias],
    weight,
    bias,
    forward(input, count) {
      const rows = timesTransposed(toPatches(input, count), weight.value, count * positions, patch, outChannels);
      return swap(addBias(rows, bias.value, count * positions), count, positions, outChannels);
    },
    inputGradient(_, outputGradient, count) {
      const rows = swap(outputGradient, count, outChannels, positions);
      return fromPatches(times(rows, weight.value, count * positions, outChannels, patch), count);
    },
    addParameterGradients(input, outputGradient, count) {
      const rows = swap(outputGradient, count, outChannels, positions);
      addTransposedTimes(weight.gradient, rows, toPatches(input, count), count * positions, outChannels, patch);
      addRows(bias.gradient, rows, count * positions);
    },
  };
}

/** For every output position and every place of the kernel, the index of the input value under it, or -1 in the pad. */
function patchSources({ inChannels, inSide, kernel, stride, pad }: ConvShape, outSide: number): Int32Array {
  const sources: number[] = [];
  for (let position = 0; position < outSide * outSide; position++) {
    const top = Math.floor(position / outSide) * stride - pad;
    const left = (position % outSide) * stride - pad;
    for (let channel = 0; channel < inChannels; channel++) {
      for (let place = 0; place < kernel * kernel; place++) {
        const y = top + Math.floor(place / kernel);
        const x = left + (place % kernel);
        const inside = y >= 0 && y < inSide && x >= 0 && x < inSide;
        sources.push(inside ? (channel * inSide + y) * inSide + x : -1);
      }
    }
  }
  return Int32Array.from(sources);
}

/** [count, rows, columns] to [count, columns, rows] */
function swap(values: Float64Array, count: number, rows: number, columns: number): Float64Array {
  const swapped = new Float64Array(values.length);
  for (let n = 0; n < count; n++) {
    const start = n * rows * columns;
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < columns; c++) swapped[start + c * rows + r] = values[start + r * columns + c];
    }
  }
  return swapped;
}
