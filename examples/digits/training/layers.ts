import type { Random } from '../random';
import { addTransposedTimes, times, timesTransposed } from './products';

/** Values that training changes, and the gradient of the loss in them. */
export interface Parameter {
  readonly value: Float64Array;
  readonly gradient: Float64Array;
}

/** A map from vectors of `inputSize` to vectors of `outputSize`; a batch is `count` of them, one after the other. */
interface Differentiable {
  readonly inputSize: number;
  readonly outputSize: number;
  readonly parameters: readonly Parameter[];
  /** [count, inputSize] to [count, outputSize] */
  forward(input: Float64Array, count: number): Float64Array;
  /** Gradient in the input, [count, inputSize], from the one in the output. */
  inputGradient(input: Float64Array, outputGradient: Float64Array, count: number): Float64Array;
  /** Adds the gradient in the parameters, summed over the batch, to theirs. */
  addParameterGradients(input: Float64Array, outputGradient: Float64Array, count: number): void;
}

/** out = weight . in + bias; weight is [outputSize, inputSize]. */
export interface DenseLayer extends Differentiable {
  readonly kind: 'dense';
  readonly weight: Parameter;
  readonly bias: Parameter;
}

export interface ReluLayer extends Differentiable {
  readonly kind: 'relu';
}

/** Square images and kernels; pad is the same on all sides. */
export interface ConvShape {
  readonly inChannels: number;
  readonly inSide: number;
  readonly outChannels: number;
  readonly kernel: number;
  readonly stride: number;
  readonly pad: number;
}

/** Cross-correlation, [inChannels, inSide, inSide] to [outChannels, outSide, outSide], as ONNX's Conv. */
export interface ConvLayer extends Differentiable {
  readonly kind: 'conv';
  readonly conv: ConvShape;
  readonly outSide: number;
  /** [outChannels, inChannels, kernel, kernel] */
  readonly weight: Parameter;
  readonly bias: Parameter;
}

export type Layer = DenseLayer | ConvLayer | ReluLayer;

export function parameter(size: number): Parameter {
  return { value: new Float64Array(size), gradient: new Float64Array(size) };
}

/** Weights for a layer followed by ReLU: variance 2 / fanIn (He et al., ICCV 2015). */
export function initialWeight(size: number, fanIn: number, random: Random): Parameter {
  const weight = parameter(size);
  for (let i = 0; i < size; i++) weight.value[i] = random.normal(Math.sqrt(2 / fanIn));
  return weight;
}

export function dense(inputSize: number, outputSize: number, random: Random): DenseLayer {
  const weight = initialWeight(outputSize * inputSize, inputSize, random);
  const bias = parameter(outputSize);
  return {
    kind: 'dense',
    inputSize,
    outputSize,
    parameters: [weight, bias],
    weight,
    bias,
    forward: (input, count) =>
      addBias(timesTransposed(input, weight.value, count, inputSize, outputSize), bias.value, count),
    inputGradient: (_, outputGradient, count) => times(outputGradient, weight.value, count, outputSize, inputSize),
    addParameterGradients(input, outputGradient, count) {
      addTransposedTimes(weight.gradient, outputGradient, input, count, outputSize, inputSize);
      addRows(bias.gradient, outputGradient, count);
    },
  };
}

export function relu(size: number): ReluLayer {
  return {
    kind: 'relu',
    inputSize: size,
    outputSize: size,
    parameters: [],
    forward: (input) => input.map((value) => (value > 0 ? value : 0)),
    inputGradient: (input, outputGradient) => outputGradient.map((value, i) => (input[i] > 0 ? value : 0)),
    addParameterGradients() {},
  };
}

/** Adds the bias to each of the rows, in place. */
export function addBias(rows: Float64Array, bias: Float64Array, count: number): Float64Array {
  for (let r = 0; r < count; r++) {
    for (let c = 0; c < bias.length; c++) rows[r * bias.length + c] += bias[c];
  }
  return rows;
}

/** Adds each of the rows to `sum`. */
export function addRows(sum: Float64Array, rows: Float64Array, count: number): void {
  for (let r = 0; r < count; r++) {
    for (let c = 0; c < sum.length; c++) sum[c] += rows[r * sum.length + c];
  }
}
