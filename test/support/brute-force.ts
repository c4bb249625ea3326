import loadHighs, { type Highs } from 'highs';
import type { Network } from '../../lib/network/network';
import type { Box } from '../../lib/region/box';

/** An affine function of the input: constant, then one coefficient per input. */
type Affine = Float64Array;

let solver: Promise<Highs> | undefined;

/**
 * The exact minimum of coefficients . scores over the box, by enumerating activation patterns: for each pattern the network
 * is affine, and a linear program (HiGHS) minimises over the inputs that have it. For dense nets of up to a dozen ReLUs.
 */
export async function exactMinimum(network: Network, box: Box, coefficients: ArrayLike<number>): Promise<number> {
  solver ??= loadHighs();
  const highs = await solver;
  let least = Number.POSITIVE_INFINITY;
  for (const { output, constraints } of patterns(network)) {
    const objective = combine(output, coefficients);
    const solution = highs.solve(linearProgram(objective, constraints, box));
    if (solution.Status !== 'Optimal') continue;
    least = Math.min(least, solution.ObjectiveValue + objective[0]);
  }
  return least;
}

interface Pattern {
  readonly output: readonly Affine[];
  /** Each must be >= 0. */
  readonly constraints: readonly Affine[];
}

/** Every way to set the network's ReLUs, with the affine functions that follow. */
function patterns(network: Network): Pattern[] {
  const bits = network.nodes.reduce((sum, node) => sum + (node.kind === 'relu' ? node.size : 0), 0);
  if (bits > 12) throw new RangeError(`${bits} ReLUs are too many to enumerate`);
  return Array.from({ length: 2 ** bits }, (_, pattern) => {
    const values: Affine[][] = [];
    const constraints: Affine[] = [];
    let bit = 0;
    for (const node of network.nodes) {
      if (node.kind === 'input') {
        values.push(Array.from({ length: node.size }, (_, i) => unit(network.inputSize, i)));
      } else if (node.kind === 'dense') {
        const inputs = values[node.from];
        values.push(
          Array.from({ length: node.size }, (_, j) => {
            const row = node.weight.subarray(j * inputs.length, (j + 1) * inputs.length);
            const sum = combine(inputs, row);
            sum[0] += node.bias[j];
            return sum;
          }),
        );
      } else if (node.kind === 'relu') {
        values.push(
          values[node.from].map((value) => {
            const active = ((pattern >> bit++) & 1) === 1;
            constraints.push(active ? value : value.map((v) => -v));
            return active ? value : new Float64Array(value.length);
          }),
        );
      } else throw new TypeError(`${node.kind} is not enumerated`);
    }
    return { output: values[network.output], constraints };
  });
}

function unit(size: number, i: number): Affine {
  const value = new Float64Array(size + 1);
  value[i + 1] = 1;
  return value;
}

function combine(values: readonly Affine[], weights: ArrayLike<number>): Affine {
  const sum = new Float64Array(values[0].length);
  for (const [k, value] of values.entries()) for (let i = 0; i < sum.length; i++) sum[i] += weights[k] * value[i];
  return sum;
}

/** In the LP format of CPLEX. */
function linearProgram(objective: Affine, constraints: readonly Affine[], { lower, upper }: Box): string {
  const terms = (affine: Affine): string =>
    Array.from(affine.subarray(1), (c, i) => `${c < 0 ? '-' : '+'} ${Math.abs(c)} x${i}`).join(' ');
  return [
    'Minimize',
    ` obj: ${terms(objective)}`,
    'Subject To',
    ...constraints.map((affine, k) => ` c${k}: ${terms(affine)} >= ${-affine[0]}`),
    'Bounds',
    ...Array.from(lower, (low, i) => ` ${low} <= x${i} <= ${upper[i]}`),
    'End',
  ].join('\n');
}
