import * as ort from 'onnxruntime-node';
import { evaluate } from '../../lib/network/evaluate';
import type { Network } from '../../lib/network/network';
import { originalSession } from '../../lib/network/original';
import { parseModel } from '../../lib/network/parse';
import type { NodeProto, TensorProto } from '../../lib/network/protobuf';
import { convert } from '../../lib/network/read';
import { simplify } from '../../lib/network/simplify';
import { floatTensor, int64Tensor } from '../../lib/network/tensor';
import { modelBytes, node, uniform } from './models';
import { expectWellFormed } from './well-formed';

export interface OperatorCase {
  /** Nodes from input `x` to tensor `r`, of any shape. */
  readonly nodes: readonly NodeProto[];
  readonly initializers?: readonly TensorProto[];
  /** Whether `r` is a single value: a second class score, a constant, is put beside it. */
  readonly single?: boolean;
  /** Shape of `x` with its batch dimension of one. */
  readonly input: readonly number[];
  readonly opset?: number;
  readonly seed?: number;
  /** Inputs are drawn from [-range, range]. */
  readonly range?: number;
}

const trials = 4;

/** The network of a case, its values laid out as one vector `y`. */
export function caseBytes({ nodes, initializers = [], input, single = false, opset = 17 }: OperatorCase): Uint8Array {
  return modelBytes({
    nodes: [
      ...nodes,
      node('Reshape', ['r', 'r.shape'], single ? 'row' : 'y'),
      ...(single ? [node('Concat', ['row', 'other'], 'y', { axis: 1 })] : []),
    ],
    initializers: [
      ...initializers,
      int64Tensor('r.shape', [1, -1]),
      ...(single ? [floatTensor('other', [1, 1], Float32Array.of(0.5))] : []),
    ],
    input,
    output: [1, 'scores'],
    opset,
  });
}

/**
 * Largest relative difference between ONNX Runtime and the normal form, before and after simplification, over random
 * inputs. Fails unless both are
 * well-formed and the simplified network has no more nodes.
 */
export async function disagreement(operatorCase: OperatorCase): Promise<number> {
  const { input, seed = 1, range = 2 } = operatorCase;
  const bytes = caseBytes(operatorCase);
  const network = convert(parseModel(bytes, 'case'), 'case');
  const simplified = simplify(network);
  expectWellFormed(network);
  expectWellFormed(simplified);
  expect(simplified.nodes.length).toBeLessThanOrEqual(network.nodes.length);
  const session = await ort.InferenceSession.create(bytes, originalSession);
  const draw = uniform(seed);
  let worst = 0;
  for (let trial = 0; trial < trials; trial++) {
    const x = draw(network.inputSize, range);
    const { y } = await session.run({ x: new ort.Tensor('float32', x, [...input]) });
    const wanted = y.data as Float32Array;
    worst = Math.max(worst, difference(network, x, wanted), difference(simplified, x, wanted));
  }
  await session.release();
  return worst;
}

function difference(network: Network, x: Float32Array, wanted: Float32Array): number {
  const scores = evaluate(network, x)[network.output];
  if (scores.length !== wanted.length) return Number.POSITIVE_INFINITY;
  const scale = Math.max(1, ...wanted.map(Math.abs));
  return Math.max(...scores.map((score, i) => Math.abs(score - wanted[i]) / scale));
}

/** Fails unless the normal form gives what ONNX Runtime gives, up to float32 rounding. */
export async function expectAgreement(operatorCase: OperatorCase): Promise<void> {
  expect(await disagreement(operatorCase)).toBeLessThan(2e-6);
}
