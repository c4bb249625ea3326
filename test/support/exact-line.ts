import type { ConvNode, Network, NetworkNode } from '../../lib/network/network';
import type { Box } from '../../lib/region/box';
import type { HalfSpace } from '../../lib/region/violation';
import { convolutionTerms } from './conv-terms';
import { add, compare, divide, multiply, negate, type Rational, rational, zero } from './rational';

/** constant + slope t */
interface Line {
  readonly constant: Rational;
  readonly slope: Rational;
}

/**
 * The exact minimum of coefficients . scores + offset over a box of which one coordinate at most has a width: on such a
 * segment the network is a piecewise linear function of one variable, and its pieces are found in rational arithmetic.
 */
export function exactMinimumOnLine(network: Network, box: Box, { coefficients, offset }: HalfSpace): Rational {
  const wide = [...box.lower.keys()].filter((i) => box.lower[i] < box.upper[i]);
  if (wide.length > 1) throw new RangeError(`${wide.length} coordinates of the box have a width`);
  const inputs = Array.from(box.lower, (low, i): Line => {
    const start = rational(low);
    return { constant: start, slope: add(rational(box.upper[i]), negate(start)) };
  });
  let least: Rational | undefined;
  const open: [Rational, Rational][] = [[zero, rational(1)]];
  for (let piece = open.pop(); piece !== undefined; piece = open.pop()) {
    const [from, to] = piece;
    const result = scoresOn(network, inputs, from, to);
    if ('kink' in result) {
      open.push([from, result.kink], [result.kink, to]);
      continue;
    }
    const line = result.scores.reduce(
      (sum, score, k) => plus(sum, times(score, rational(coefficients[k]))),
      fixed(rational(offset)),
    );
    for (const end of [at(line, from), at(line, to)]) if (!least || compare(end, least) < 0) least = end;
  }
  return least!;
}

/** The value at one point. */
export function exactValue(network: Network, point: ArrayLike<number>, row: HalfSpace): Rational {
  return exactMinimumOnLine(network, { lower: Float64Array.from(point), upper: Float64Array.from(point) }, row);
}

/** The scores as lines where no ReLU changes its sign between the two ends, else the place where one does. */
function scoresOn(
  network: Network,
  inputs: readonly Line[],
  from: Rational,
  to: Rational,
): { readonly scores: readonly Line[] } | { readonly kink: Rational } {
  const values: (readonly Line[])[] = [];
  for (const node of network.nodes) {
    if (node.kind !== 'relu') {
      values.push(node.kind === 'input' ? inputs : affine(node, values));
      continue;
    }
    const rectified: Line[] = [];
    for (const line of values[node.from]) {
      const [left, right] = [compare(at(line, from), zero), compare(at(line, to), zero)];
      if (left * right < 0) return { kink: divide(negate(line.constant), line.slope) };
      rectified.push(left > 0 || right > 0 ? line : fixed(zero));
    }
    values.push(rectified);
  }
  return { scores: values[network.output] };
}

function affine(node: NetworkNode, values: readonly (readonly Line[])[]): Line[] {
  const bias = (b: number): Line => fixed(rational(b));
  switch (node.kind) {
    case 'dense': {
      const x = values[node.from];
      return Array.from({ length: node.size }, (_, j) =>
        x.reduce((sum, line, k) => plus(sum, times(line, rational(node.weight[j * x.length + k]))), bias(node.bias[j])),
      );
    }
    case 'select':
      return Array.from(node.index, (source, i) => {
        const own = bias(node.bias?.[i] ?? 0);
        return source < 0 ? own : plus(own, times(values[node.from][source], rational(node.scale?.[i] ?? 1)));
      });
    case 'add':
      return Array.from({ length: node.size }, (_, i) =>
        node.from.reduce((sum, id) => plus(sum, values[id][i]), fixed(zero)),
      );
    case 'conv':
      return convolved(node, values[node.from]);
    default:
      throw new TypeError(`${node.kind} is not affine`);
  }
}

function convolved(node: ConvNode, x: readonly Line[]): Line[] {
  return convolutionTerms(node).map(({ channel, terms }) =>
    terms.reduce(
      (sum, { from, weight }) => plus(sum, times(x[from], rational(weight))),
      fixed(rational(node.bias[channel])),
    ),
  );
}

function fixed(constant: Rational): Line {
  return { constant, slope: zero };
}

function plus(a: Line, b: Line): Line {
  return { constant: add(a.constant, b.constant), slope: add(a.slope, b.slope) };
}

function times({ constant, slope }: Line, factor: Rational): Line {
  return { constant: multiply(constant, factor), slope: multiply(slope, factor) };
}

function at({ constant, slope }: Line, t: Rational): Rational {
  return add(constant, multiply(slope, t));
}
