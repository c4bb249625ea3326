import type * as ort from 'onnxruntime-node';
import { backwardAffine, forwardAffine, gatherColumns } from '../bounds/affine';
import type { GraphBuilder, Value } from '../bounds/graph';
import { floatTensor, indexTensor } from '../bounds/sessions';
import type { Network, NodeId } from '../network/network';
import type { Problem } from './problem';

/*
 * Layer 0 as the convolution that it is, instead of a matrix of its neurons on all inputs, nearly all of which is zeros: in the place of w0_x steps have
 *
 *   scatter0   int64 [neurons of the convolution]   which neuron of the problem each is; n_0 for those that are none
 *   gather0    int64 [n_0]                          the reverse
 *   radius0    float [1, n]                         the radius of each input
 *
 * Soundness: a coefficient on an input is the same sum, over at most as many terms, and then times the radius, instead of a sum of weights times radii: with the roundings of radius and
 * product it has two more than a product with the matrix, which gamma has room for (problem.ts; docs/soundness.md, "The search"). Neurons that are none of the problem add exact zeros.
 */

/** Coefficients [R, n_0] on the layer's pre-activations, carried to e. */
export function convToInput(graph: GraphBuilder, network: Network, conv: NodeId, onZ: Value): Value {
  const everywhere = gatherColumns(graph, onZ, graph.input('scatter0', 'int64', ['first']), 'padded');
  const [[, onX]] = backwardAffine(graph, network, conv, everywhere).coefficients;
  return graph.node('Mul', [onX, graph.input('radius0', 'float', [1, 'nx'])]);
}

/** What the layer's neurons are at points e [R, n], [R, n_0], without their constants. */
export function convOfInput(graph: GraphBuilder, network: Network, conv: NodeId, point: Value): Value {
  const node = network.nodes[conv];
  if (node.kind !== 'conv') throw new TypeError(`${node.name} is no convolution`);
  const scaled = graph.node('Mul', [point, graph.input('radius0', 'float', [1, 'nx'])]);
  const everywhere = forwardAffine(graph, node, scaled, 'signed', false);
  return gatherColumns(graph, everywhere, graph.input('gather0', 'int64', ['n0']));
}

/** What these programs read instead of the matrix. */
export function convFeeds({ layers, radius, inputSize }: Problem, convSize: number): { [name: string]: ort.Tensor } {
  const { alive, size } = layers[0];
  const scatter = new Int32Array(convSize).fill(size);
  for (const [n, j] of alive.entries()) scatter[j] = n;
  return {
    scatter0: indexTensor(scatter),
    gather0: indexTensor(alive),
    radius0: floatTensor(Float32Array.from(radius), 1, inputSize),
  };
}

/** Whether matrices are for such a program. */
export function isConvCall(matrices: { readonly [name: string]: ort.Tensor }): boolean {
  return matrices.scatter0 !== undefined;
}
