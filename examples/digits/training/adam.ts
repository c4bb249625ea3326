import type { Parameter } from './layers';

export interface AdamSettings {
  /** Share of a parameter that a step of learning rate 1 takes away. */
  readonly weightDecay: number;
}

const decayOfMean = 0.9;
const decayOfSquare = 0.999;
const tiny = 1e-8;
const { sqrt } = Math;

/** A step of training at this learning rate, from the gradients stored with the parameters. */
export type Step = (learningRate: number) => void;

/** Adam with decoupled weight decay (Kingma and Ba, ICLR 2015; Loshchilov and Hutter, ICLR 2019). */
export function adam(parameters: readonly Parameter[], { weightDecay }: AdamSettings): Step {
  const means = parameters.map(({ value }) => new Float64Array(value.length));
  const squares = parameters.map(({ value }) => new Float64Array(value.length));
  let steps = 0;
  return (learningRate) => {
    steps++;
    const meanScale = 1 / (1 - decayOfMean ** steps);
    const squareScale = 1 / (1 - decayOfSquare ** steps);
    parameters.forEach(({ value, gradient }, p) => {
      const [mean, square] = [means[p], squares[p]];
      for (let i = 0; i < value.length; i++) {
        mean[i] += (1 - decayOfMean) * (gradient[i] - mean[i]);
        square[i] += (1 - decayOfSquare) * (gradient[i] * gradient[i] - square[i]);
        const direction = (mean[i] * meanScale) / (sqrt(square[i] * squareScale) + tiny);
        value[i] -= learningRate * (direction + weightDecay * value[i]);
      }
    });
  };
}
