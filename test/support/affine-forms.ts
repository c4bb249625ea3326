import type { ConvNode, NetworkNode } from '../../lib/network/network';
import { convolutionTerms } from './conv-terms';

/** An affine function of some variables: constant, then one coefficient per variable. */
export type Affine = Float64Array;

/** The variable with the number, of `count`. */
export function variable(count: number, i: number): Affine {
  const value = new Float64Array(count + 1);
  value[i + 1] = 1;
  return value;
}

/** What a node other than ReLU and input makes of affine functions, by the definition of its operator in ONNX. */
export function affineNode(node: NetworkNode, values: readonly (readonly Affine[])[]): Affine[] {
  const biased = (sum: Affine, bias: number): Affine => {
    sum[0] += bias;
    return sum;
  };
  switch (node.kind) {
    case 'dense': {
      const x = values[node.from];
      const row = (j: number) => node.weight.subarray(j * x.length, (j + 1) * x.length);
      return Array.from({ length: node.size }, (_, j) => biased(combine(x, row(j)), node.bias[j]));
    }
    case 'select': {
      const x = values[node.from];
      return Array.from(node.index, (source, i) => {
        const scale = node.scale?.[i] ?? 1;
        return biased(
          source < 0 ? new Float64Array(x[0].length) : x[source].map((v) => scale * v),
          node.bias?.[i] ?? 0,
        );
      });
    }
    case 'add':
      return Array.from({ length: node.size }, (_, i) =>
        combine(
          node.from.map((id) => values[id][i]),
          node.from.map(() => 1),
        ),
      );
    case 'conv':
      return convolved(node, values[node.from]);
    default:
      throw new TypeError(`${node.kind} is not affine`);
  }
}

/** sum of weights[k] * values[k] */
export function combine(values: readonly Affine[], weights: ArrayLike<number>): Affine {
  const sum = new Float64Array(values[0].length);
  for (const [k, value] of values.entries()) addTo(sum, value, weights[k]);
  return sum;
}

function convolved(node: ConvNode, x: readonly Affine[]): Affine[] {
  return convolutionTerms(node).map(({ channel, terms }) => {
    const sum = new Float64Array(x[0].length);
    sum[0] = node.bias[channel];
    for (const { from, weight } of terms) addTo(sum, x[from], weight);
    return sum;
  });
}

function addTo(sum: Affine, value: Affine, weight: number): void {
  for (let i = 0; i < sum.length; i++) sum[i] += weight * value[i];
}
