import type { ConvNode, DenseNode, Network, NodeId, SelectNode } from '../network/network';
import { forwardAffine, inverseGathers, type WeightPart } from './affine';
import { type GraphBuilder, graphBuilder, type Value } from './graph';
import { errorInflation } from './relaxation';
import { float32Magnitude, gamma, tinyError } from './rounding';
import { consumerCounts, type Segment } from './segments';
import { sourceBox } from './source-box';

/** Roundings of a step besides its sum: centre and radius of a source, weight conversion, differences, accumulations. */
const roundingsOutsideSums = 24;

/** Terms of the sum that computes one component of a node's value (forward) or of the coefficients on what it reads. */
export function productTerms(network: Network, id: NodeId): number {
  const node = network.nodes[id];
  switch (node.kind) {
    case 'dense':
      return Math.max(node.size, node.weight.length / node.size);
    case 'conv': {
      const perOutput = node.weight.length / node.outShape[0];
      return Math.max(perOutput, (perOutput * node.outShape[0]) / node.inShape[0]);
    }
    case 'select':
      return inverseGathers(node, network.nodes[node.from].size).length;
    case 'add':
      return node.from.length;
    default:
      return 1;
  }
}

/**
 * The gamma of a step with so many terms in its sum, other roundings included (docs/soundness.md). `readers` is the number of nodes that
 * read the result. Throws RangeError for networks too wide for the error bound.
 */
export function stepGamma(network: Network, id: NodeId, terms: number, readers: number): number {
  const g = gamma(terms + readers + network.nodes.length + roundingsOutsideSums);
  if (g > errorInflation - 1 - 0.005) {
    throw new RangeError(`${network.nodes[id].name}: a sum of ${terms} terms is too long for the float32 error bound`);
  }
  return g;
}

/**
 * Interval bounds of a segment's end from boxes of its sources, as an ONNX graph over B balls:
 *
 * inputs   centre0, radius0       float [B, size] of the input: the box, radii up to one rounding
 *          lower<id>, upper<id>   float [B, size] of a ReLU: bounds of what it reads
 * outputs  lower, upper           float [B, size] bounds of the end, widened by the rounding error
 *          error                  float [B, size] the error weight e of docs/soundness.md (before errorInflation)
 *          reach                  float [B, 1] sum of the magnitudes M of all nodes of the segment
 *          centre                 float [B, size] the end's value at the centres of the sources' boxes, where it is asked for
 *
 * Along each chain it carries the centre c, the radius r, a bound M of the absolute value, and e.
 */
export function emitForward(network: Network, segment: Segment, withCentre = false): Uint8Array {
  const graph = graphBuilder();
  const readers = consumerCounts(network);
  const state = new Map<NodeId, Interval>();
  for (const id of segment.sources) state.set(id, source(graph, network, id, readers[id]));
  for (const id of segment.affine) state.set(id, affine(graph, network, id, readers[id], state));
  const end = state.get(segment.end)!;
  const inflation = graph.scalar(errorInflation);
  const error = errorOf(graph, end);
  const widened = graph.node('Add', [end.radius, graph.node('Mul', [error, inflation])]);
  graph.output('lower', graph.node('Sub', [end.centre, widened]));
  graph.output('upper', graph.node('Add', [end.centre, widened]));
  graph.output('error', error);
  if (withCentre) graph.output('centre', end.centre);
  const sums = [...state.values()].map(({ magnitude }) => graph.sumColumns(magnitude));
  graph.output(
    'reach',
    sums.reduce((a, b) => graph.node('Add', [a, b])),
  );
  return graph.encode();
}

/** All [B, size]. */
interface Interval {
  readonly centre: Value;
  readonly radius: Value;
  readonly magnitude: Value;
  /** Of a source so much of its magnitude, and tinyError: no product of its own, since what reads it takes it from the magnitude's. */
  readonly error: Value | { readonly ofMagnitude: number };
}

/** e as a value. */
function errorOf(graph: GraphBuilder, { magnitude, error }: Interval): Value {
  if (typeof error === 'string') return error;
  const part = graph.node('Mul', [magnitude, graph.scalar(error.ofMagnitude)]);
  return graph.node('Add', [part, graph.scalar(tinyError)]);
}

function source(graph: GraphBuilder, network: Network, id: NodeId, readers: number): Interval {
  const box = sourceBox(graph, network, id, ['B', network.nodes[id].size]);
  return { ...box, error: { ofMagnitude: stepGamma(network, id, 1, readers) } };
}

function affine(
  graph: GraphBuilder,
  network: Network,
  id: NodeId,
  readers: number,
  state: ReadonlyMap<NodeId, Interval>,
): Interval {
  const node = network.nodes[id];
  const own = stepGamma(network, id, productTerms(network, id), readers);
  const finish = (centre: Value, radius: Value, magnitude: Value, inherited: Value): Interval => ({
    centre,
    radius,
    magnitude,
    error: graph.node('Add', [inherited, graph.node('Mul', [magnitude, graph.scalar(own)])]),
  });
  if (node.kind === 'add') {
    const parts = node.from.map((from) => state.get(from)!);
    const sum = (part: (interval: Interval) => Value): Value =>
      parts.map(part).reduce((a, b) => graph.node('Add', [a, b]));
    return finish(
      sum((p) => p.centre),
      sum((p) => p.radius),
      sum((p) => p.magnitude),
      sum((p) => errorOf(graph, p)),
    );
  }
  if (node.kind === 'input' || node.kind === 'relu') throw new Error(`${node.kind} is not an affine node`);
  const from = state.get(node.from)!;
  const apply = (value: Value, part: WeightPart, withBias: boolean): Value =>
    forwardAffine(graph, node, value, part, withBias);
  const { bias } = node;
  const biasGamma = stepGamma(network, id, node.size, readers);
  const centre = apply(from.centre, 'signed', true);
  const radius = apply(from.radius, 'absolute', false);
  const magnitude = apply(from.magnitude, 'absolute', true);
  if (typeof from.error !== 'string') {
    // |W| (g M + tiny), where |W| M is at most the magnitude of this node.
    const factor = graph.scalar(own + from.error.ofMagnitude);
    const constant = biasWeights(graph, node.size, bias, biasGamma, tinyError * (1 + 1.01 * largestRowSum(node)));
    const error = graph.node('Add', [graph.node('Mul', [magnitude, factor]), constant]);
    return { centre, radius, magnitude, error };
  }
  const biasError = biasWeights(graph, node.size, bias, biasGamma, tinyError);
  const inherited = apply(from.error, 'absolute', false);
  return finish(centre, radius, magnitude, graph.node('Add', [inherited, biasError]));
}

/** The largest sum of absolute weights that one component of the node reads with. */
function largestRowSum(node: DenseNode | ConvNode | SelectNode): number {
  if (node.kind === 'select') return node.scale?.reduce((most, s) => Math.max(most, float32Magnitude(s)), 1) ?? 1;
  const rows = node.kind === 'dense' ? node.size : node.outShape[0];
  const columns = node.weight.length / rows;
  let most = 0;
  for (let row = 0; row < rows; row++) {
    let sum = 0;
    for (let i = row * columns; i < (row + 1) * columns; i++) sum += float32Magnitude(node.weight[i]);
    most = Math.max(most, sum);
  }
  return most;
}

/** gamma |bias| per component: the error of the row constant's product with the bias, [1, size]; and underflow of values. */
function biasWeights(
  graph: GraphBuilder,
  size: number,
  bias: Float64Array | undefined,
  g: number,
  underflow: number,
): Value {
  if (bias === undefined) return graph.floats([underflow], [1, 1]);
  const repeat = size / bias.length;
  return graph.floats(
    Float64Array.from({ length: size }, (_, i) => g * Math.abs(bias[Math.floor(i / repeat)]) + underflow),
    [1, size],
  );
}
