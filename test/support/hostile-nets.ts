import type { NodeProto, TensorProto } from '../../lib/network/protobuf';
import { floatTensor } from '../../lib/network/tensor';
import { random } from '../../lib/random';
import { modelBytes, node, uniform } from './models';

/** What makes a net hostile to floating point. */
export const hostilities = [
  'plain',
  'cancelling rows',
  'scales from 1e-8 to 1e8',
  'weights down to denormal',
  'weights from 1e-30 to 1e30',
  'layers without ReLU between them',
  'constants of 1e12 that cancel',
  'batch normalisation of tiny variance',
  'residual',
  'twenty-five layers',
  'eight hundred inputs',
] as const;

export type Hostility = (typeof hostilities)[number];

/** A tiny net of two classes with the trait; input [batch, inputs]. */
export function hostileNet(trait: Hostility, seed: number): { readonly bytes: Uint8Array; readonly inputs: number } {
  const rng = random(7919 * seed + 13);
  const draw = uniform(seed + 1);
  const nodes: NodeProto[] = [];
  const initializers: TensorProto[] = [];
  const inputs = trait === 'eight hundred inputs' ? 800 : 3;
  let from = 'x';
  const store = (values: Float32Array, dims: number[]): string => {
    initializers.push(floatTensor(`c${initializers.length}`, dims, values));
    return `c${initializers.length - 1}`;
  };
  const append = (op: string, more: string[], to = `t${nodes.length}`, attributes = {}): void => {
    nodes.push(node(op, [from, ...more], to, attributes));
    from = to;
  };
  const scaled = (values: Float32Array): Float32Array => {
    if (trait === 'cancelling rows') return values.map((v) => v * [1, 1, 1e4, -1e4][rng.int(4)]);
    if (trait === 'scales from 1e-8 to 1e8') return values.map((v) => v * 10 ** (rng.int(17) - 8));
    if (trait === 'weights down to denormal') return values.map((v) => v * 10 ** -rng.int(44));
    if (trait === 'weights from 1e-30 to 1e30') return values.map((v) => v * 10 ** (rng.int(60) - 30));
    return values;
  };
  const dense = (columns: number, rows: number, to?: string): void => {
    const weight = scaled(draw(rows * columns));
    if (trait === 'cancelling rows') {
      for (let i = 0; i + 1 < weight.length; i += 2) weight[i + 1] = -weight[i] * (1 + 1e-7 * rng.int(5));
    }
    append('Gemm', [store(weight, [rows, columns]), store(scaled(draw(rows, 0.5)), [rows])], to, { transB: 1 });
  };
  const relu = (): void => append('Relu', []);
  dense(inputs, 4);
  if (trait === 'batch normalisation of tiny variance') {
    const mean = draw(4).map((v) => v * 10 ** rng.int(10));
    const variance = draw(4).map((v) => Math.abs(v) * 10 ** -rng.int(20));
    const share = rng.int(2) === 0 ? 1 : 0.5;
    const beta = mean.map((m, c) => (share * m) / Math.sqrt(variance[c] + 1e-12));
    const parameters = [new Float32Array(4).fill(1), beta, mean, variance].map((values) => store(values, [4]));
    append('BatchNormalization', parameters, undefined, { epsilon: { float: 1e-12 } });
  }
  if (trait === 'layers without ReLU between them') dense(4, 3);
  else relu();
  if (trait === 'constants of 1e12 that cancel') {
    const shift = draw(4, 1e12);
    dense(4, 4);
    for (const values of [shift, shift.map((v) => -v)]) append('Add', [store(values, [4])]);
    relu();
  }
  if (trait === 'residual') {
    for (let block = 0; block < 3; block++) {
      const skip = from;
      dense(4, 4);
      relu();
      dense(4, 4);
      append('Add', [skip]);
      if (rng.int(2) === 0) relu();
    }
  }
  if (trait === 'twenty-five layers') {
    for (let layer = 0; layer < 24; layer++) {
      dense(4, 4);
      relu();
    }
  }
  dense(trait === 'layers without ReLU between them' ? 3 : 4, 2, 'y');
  return { bytes: modelBytes({ nodes, initializers, input: ['batch', inputs], output: ['batch', 2] }), inputs };
}
