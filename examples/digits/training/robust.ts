import { type Random, shuffled } from '../random';
import { adam } from './adam';
import { perturbed } from './attack';
import { type Model, parameterGradients } from './model';

export interface TrainingSettings {
  readonly epochs: number;
  readonly batchSize: number;
  /** The rate at the start; it falls to zero along a half cosine (Loshchilov and Hutter, ICLR 2017). */
  readonly learningRate: number;
  readonly weightDecay: number;
  /** Radius of the perturbations trained against, reached after a third of the epochs. */
  readonly epsilon: number;
}

export interface TrainingSet {
  /** [labels.length, inputSize] in [0, 1] */
  readonly input: Float64Array;
  readonly labels: Int32Array;
}

/** Trains the model in place on adversarially perturbed batches. Returns every epoch's mean loss. */
export function trainRobust(
  model: Model,
  { input, labels }: TrainingSet,
  settings: TrainingSettings,
  random: Random,
  onEpoch: (epoch: number, loss: number) => void = () => {},
): number[] {
  const step = adam(
    model.flatMap(({ parameters }) => parameters),
    settings,
  );
  const size = input.length / labels.length;
  const batches = Math.floor(labels.length / settings.batchSize);
  const losses: number[] = [];
  for (let epoch = 0; epoch < settings.epochs; epoch++) {
    const order = shuffled(labels.length, random);
    let loss = 0;
    for (let batch = 0; batch < batches; batch++) {
      const chosen = order.subarray(batch * settings.batchSize, (batch + 1) * settings.batchSize);
      const batchLabels = chosen.map((i) => labels[i]);
      const batchInput = new Float64Array(chosen.length * size);
      for (let n = 0; n < chosen.length; n++) {
        batchInput.set(input.subarray(chosen[n] * size, (chosen[n] + 1) * size), n * size);
      }

      const progress = (epoch + batch / batches) / settings.epochs;
      const attack = { epsilon: settings.epsilon * Math.min(1, 3 * progress), steps: 1, stepLength: 1.25 };
      const hard = perturbed(model, batchInput, batchLabels, attack, random);
      loss += parameterGradients(model, hard, batchLabels) / batches;
      step((settings.learningRate * (1 + Math.cos(Math.PI * progress))) / 2);
    }
    losses.push(loss);
    onEpoch(epoch, loss);
  }
  return losses;
}
