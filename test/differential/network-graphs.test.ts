import fc from 'fast-check';
import { evaluate } from '../../lib/network/evaluate';
import { loadModel } from '../../lib/network/original';
import type { NodeProto, TensorProto } from '../../lib/network/protobuf';
import { floatTensor } from '../../lib/network/tensor';
import { node, randomConvNet, randomMlp, randomResidualNet, uniform } from '../support/models';
import { disagreement } from '../support/operators';

/** A graph that grows by one random operator at a time on tensors [1, channels, height, width]. */
class Graph {
  readonly nodes: NodeProto[] = [];
  readonly initializers: TensorProto[] = [];
  private readonly tensors: { name: string; shape: number[] }[] = [{ name: 'x', shape: [1, 2, 4, 4] }];
  private readonly draw: ReturnType<typeof uniform>;

  constructor(seed: number) {
    this.draw = uniform(seed);
  }

  private last(): { name: string; shape: number[] } {
    return this.tensors[this.tensors.length - 1];
  }

  private weights(dims: readonly number[]): string {
    const name = `w${this.initializers.length}`;
    this.initializers.push(floatTensor(name, dims, this.draw(dims.reduce((a, b) => a * b, 1))));
    return name;
  }

  private push(
    opType: string,
    inputs: readonly string[],
    shape: number[],
    attributes: Parameters<typeof node>[3] = {},
  ): void {
    const name = `t${this.nodes.length}`;
    this.nodes.push(node(opType, inputs, name, attributes));
    this.tensors.push({ name, shape });
  }

  readonly operators: ((choice: number) => void)[] = [
    (choice) => {
      const { name, shape } = this.last();
      const [, channels, height, width] = shape;
      const filter = this.weights([1 + (choice % 3), channels, 1, 2]);
      this.push('Conv', [name, filter, this.weights([1 + (choice % 3)])], [1, 1 + (choice % 3), height, width], {
        pads: [0, 1, 0, 0],
      });
    },
    (choice) =>
      this.push(['Relu', 'Abs', 'LeakyRelu', 'Neg', 'Identity'][choice % 5], [this.last().name], this.last().shape),
    (choice) => {
      const { name, shape } = this.last();
      const constant = this.weights(choice % 2 ? [shape[1], 1, 1] : [shape[3]]);
      this.push(['Add', 'Sub', 'Mul'][choice % 3], choice % 7 < 3 ? [constant, name] : [name, constant], shape);
    },
    (choice) => {
      const { name, shape } = this.last();
      const others = this.tensors.filter((tensor) => tensor.shape.join() === shape.join());
      this.push(['Add', 'Sub', 'Max', 'Min'][choice % 4], [name, others[choice % others.length].name], shape);
    },
    (choice) => {
      const { name, shape } = this.last();
      const [, channels, height, width] = shape;
      const size = [1 + (choice % 2), 2].map((k, d) => Math.min(k, shape[d + 2]));
      const attributes = { kernel_shape: size };
      this.push(
        choice % 3 ? 'MaxPool' : 'AveragePool',
        [name],
        [1, channels, height - size[0] + 1, width - size[1] + 1],
        attributes,
      );
    },
    () => {
      const { name, shape } = this.last();
      this.push('Transpose', [name], [1, shape[2], shape[1], shape[3]], { perm: [0, 2, 1, 3] });
    },
    (choice) => {
      const { name, shape } = this.last();
      const others = this.tensors.filter((tensor) => tensor.shape.every((size, d) => d === 1 || size === shape[d]));
      const other = others[choice % others.length];
      if (shape[1] + other.shape[1] > 6) return;
      this.push('Concat', [other.name, name], [1, shape[1] + other.shape[1], shape[2], shape[3]], { axis: 1 });
    },
    (choice) => {
      const { name, shape } = this.last();
      const low = Math.min(choice % 2, shape[2] - 1);
      const attributes = { starts: [low], ends: [shape[2]], axes: [2] };
      this.push('Slice', [name], [1, shape[1], shape[2] - low, shape[3]], attributes);
    },
    (choice) => {
      const { name, shape } = this.last();
      if (shape[3] > 5) return;
      this.push('Pad', [name], [1, shape[1], shape[2], shape[3] + 1], {
        pads: [0, 0, 0, choice % 2, 0, 0, 0, 1 - (choice % 2)],
      });
    },
    () => this.push('Clip', [this.last().name], this.last().shape, { min: { float: -0.5 }, max: { float: 0.75 } }),
  ];

  finish(): { nodes: NodeProto[]; initializers: TensorProto[] } {
    const { name, shape } = this.last();
    const features = shape.reduce((a, b) => a * b, 1);
    const weight = this.weights([features, 3]);
    this.nodes.push(node('Flatten', [name], 'flat'), node('MatMul', ['flat', weight], 'r'));
    return this;
  }
}

test('random graphs mean the same to ONNX Runtime, in normal form, and simplified', async () => {
  const steps = fc.array(fc.tuple(fc.nat(9), fc.nat(100)), { minLength: 1, maxLength: 9 });
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 1e6 }), steps, async (seed, list) => {
      const graph = new Graph(seed);
      for (const [operator, choice] of list) graph.operators[operator](choice);
      expect(await disagreement({ ...graph.finish(), input: [1, 2, 4, 4], opset: 9, seed })).toBeLessThan(5e-6);
    }),
    { numRuns: 120, seed: 20261122 },
  );
});

describe('seeded test networks', () => {
  const makers: [string, (seed: number) => Uint8Array][] = [
    ['fully connected', (seed) => randomMlp([6, 8, 8, 4], seed)],
    ['convolutional', (seed) => randomConvNet(seed, { input: [2, 7, 6], channels: [3, 5] })],
    ['residual', (seed) => randomResidualNet(seed, 4)],
  ];
  test.each(makers)('%s nets agree with ONNX Runtime and hold no selects', async (_, make) => {
    for (const seed of [1, 2, 3]) {
      const { file, original } = await loadModel(make(seed));
      const { network } = file;
      const inputs = uniform(seed)(20 * network.inputSize).map((value) => (value + 1) / 2);
      const scores = await original.scores(inputs, 20);
      await original.release();
      for (let i = 0; i < 20; i++) {
        const own = evaluate(network, inputs.subarray(i * network.inputSize, (i + 1) * network.inputSize))[
          network.output
        ];
        own.forEach((score, k) => {
          expect(scores[i * network.classes + k]).toBeCloseTo(score, 4);
        });
      }
      expect(network.nodes.some(({ kind }) => kind === 'select')).toBe(false);
    }
  });
});
