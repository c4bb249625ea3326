import type { Layer } from './layers';
import { crossEntropy } from './loss';

/** Layers one after the other; the last one's output are the class scores. */
export type Model = readonly Layer[];

/** The input of every layer, and the scores last. */
function activations(model: Model, input: Float64Array, count: number): Float64Array[] {
  const values = [input];
  for (const layer of model) values.push(layer.forward(values[values.length - 1], count));
  return values;
}

/** Scores of a batch: [count, inputSize] to [count, classes]. */
export function scores(model: Model, input: Float64Array, count: number): Float64Array {
  return activations(model, input, count)[model.length];
}

/** Gradient of the batch's mean loss in its inputs, [count, inputSize]; parameters are left alone. */
export function inputGradient(model: Model, input: Float64Array, labels: Int32Array): Float64Array {
  const values = activations(model, input, labels.length);
  let { gradient } = crossEntropy(values[model.length], labels);
  for (let i = model.length - 1; i >= 0; i--) gradient = model[i].inputGradient(values[i], gradient, labels.length);
  return gradient;
}

/** The batch's mean loss; its gradient in the parameters is stored with them, replacing what was there. */
export function parameterGradients(model: Model, input: Float64Array, labels: Int32Array): number {
  const values = activations(model, input, labels.length);
  const result = crossEntropy(values[model.length], labels);
  let gradient = result.gradient;
  for (let i = model.length - 1; i >= 0; i--) {
    for (const parameter of model[i].parameters) parameter.gradient.fill(0);
    model[i].addParameterGradients(values[i], gradient, labels.length);
    if (i > 0) gradient = model[i].inputGradient(values[i], gradient, labels.length);
  }
  return result.loss;
}

/** Share of the inputs whose highest score is the label's, in [0, 1]. */
export function accuracy(model: Model, input: Float64Array, labels: Int32Array): number {
  const all = scores(model, input, labels.length);
  const classes = all.length / labels.length;
  let right = 0;
  for (let n = 0; n < labels.length; n++) {
    const row = all.subarray(n * classes, (n + 1) * classes);
    if (row.indexOf(Math.max(...row)) === labels[n]) right++;
  }
  return right / labels.length;
}
