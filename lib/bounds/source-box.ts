import type { Network, NodeId } from '../network/network';
import { fresh, type Lend } from './buffers';
import type { GraphBuilder, Value } from './graph';
import { above, gamma } from './rounding';

/** The box of a source's values, in a program; of one shape each. */
export interface SourceBox {
  readonly centre: Value;
  /** Up to one rounding. */
  readonly radius: Value;
  /** At least every absolute value in the box, up to one rounding. */
  readonly magnitude: Value;
}

/** The names of the two tables that give a source's box to a program: of the input itself, of a ReLU the bounds of what it reads. */
export function boxNames({ nodes }: Network, source: NodeId): readonly [string, string] {
  return nodes[source].kind === 'relu' ? [`lower${source}`, `upper${source}`] : [`centre${source}`, `radius${source}`];
}

/**
 * The box from the tables of `boxNames`, of the given shape. Of a ReLU it is [max(l, 0), max(u, 0)], with one rounding each of centre and radius.
 *
 * A NaN bound proves nothing: max(u, 0) is (u + |u|) / 2, exact, which keeps NaN where ONNX Runtime's Relu may make 0 of it. Of a NaN lower bound 0 may
 * be made: no output is below that. An infinite upper bound makes centre and radius infinite or NaN. Of bounds that contradict each other, which sound ones never do, the radius is not negative either:
 * a negative one would make bounds better than they are.
 */
export function sourceBox(
  graph: GraphBuilder,
  network: Network,
  source: NodeId,
  shape: readonly (number | string)[],
): SourceBox {
  const [first, second] = boxNames(network, source).map((name) => graph.input(name, 'float', shape));
  if (network.nodes[source].kind !== 'relu') {
    const magnitude = graph.node('Add', [graph.node('Abs', [first]), second]);
    return { centre: first, radius: second, magnitude };
  }
  const half = graph.scalar(0.5);
  const least = graph.node('Relu', [first]);
  const most = graph.node('Mul', [graph.node('Add', [second, graph.node('Abs', [second])]), half]);
  return {
    centre: graph.node('Mul', [graph.node('Add', [most, least]), half]),
    radius: graph.node('Mul', [graph.node('Abs', [graph.node('Sub', [most, least])]), half]),
    magnitude: most,
  };
}

/** More than what float32 may flush of an enlarged radius: so much that products with coefficients, sums of which are mostly of it, are no denormal numbers, which take a hundred times as long. */
const flushed = 2 ** -80;

/**
 * The radius with room for the rounding errors of dot products with centre and radius, sums of which gamma is `g` (docs/soundness.md): at least
 * radius (1 + g) + g |centre|. That is computed in float32 with four roundings of terms that are not negative, hence a little more.
 */
export function dotRadius(graph: GraphBuilder, { centre, radius }: SourceBox, g: number): Value {
  const room = 1 + 2 ** -20;
  const own = graph.node('Mul', [radius, graph.scalar(above((1 + g) * room))]);
  const ofCentre = graph.node('Mul', [graph.node('Abs', [centre]), graph.scalar(above(g * room))]);
  return graph.node('Add', [own, graph.node('Add', [ofCentre, graph.scalar(flushed)])]);
}

/** Additions that a row's constant takes part in, besides the sum that each term is: at most three a node, and some at the end. */
export function additionsOf({ nodes }: Network): number {
  return 3 * nodes.length + 32;
}

/** Gamma of the dot product with the box of a node where rows end, and of the additions that it takes part in. */
export function dotGamma(network: Network, node: NodeId): number {
  return gamma(network.nodes[node].size + additionsOf(network));
}

/** The radii of the boxes, enlarged for the dot products that a backward pass ends with; as dotRadius, where a program has no room for that. */
export function dotRadii(
  network: Network,
  { centre, radius }: { readonly centre: Float32Array; readonly radius: Float32Array },
  lend: Lend = fresh,
): Float32Array {
  const enlarged = lend(radius.length);
  const g = dotGamma(network, 0);
  // Of a box without bounds nothing is proven.
  for (let i = 0; i < radius.length; i++) enlarged[i] = infinite(above(radius[i] * (1 + g) + g * Math.abs(centre[i])));
  return enlarged;
}

/** Infinity for NaN. */
function infinite(value: number): number {
  return Number.isNaN(value) ? Number.POSITIVE_INFINITY : value;
}
