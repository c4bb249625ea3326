import { type Network, reluNodes } from '../../lib/network/network';
import type { Box } from '../../lib/region/box';
import { type Affine, affineNode, combine, variable } from './affine-forms';
import { minimise } from './highs';

/** Minimum of a functional of the scores, and where it is. */
export interface Minimum {
  readonly value: number;
  readonly point: Float64Array;
}

/** The exact minimum of coefficients . scores over the box, to HiGHS's tolerance. */
export async function exactMinimum(network: Network, box: Box, coefficients: ArrayLike<number>): Promise<number> {
  return (await exactMinima(network, box, [coefficients]))[0].value;
}

/**
 * The exact minima of functionals of the scores over the box, by enumerating activation patterns: for each pattern the network is affine, and a linear
 * program (HiGHS) minimises over the inputs that have it. Patterns of which no input of the box has the first part are left out.
 * For nets of some thirty ReLUs and few inputs.
 */
export async function exactMinima(
  network: Network,
  box: Box,
  functionals: readonly ArrayLike<number>[],
): Promise<Minimum[]> {
  const least = functionals.map((): Minimum => ({ value: Number.POSITIVE_INFINITY, point: box.lower }));
  for await (const { scores, constraints } of patterns(network, box)) {
    for (const [f, coefficients] of functionals.entries()) {
      const solution = await minimise({ objective: combine(scores, coefficients), constraints, box });
      if (solution && solution.value < least[f].value) least[f] = solution;
    }
  }
  return least;
}

interface Pattern {
  readonly scores: readonly Affine[];
  /** Each is >= 0 on the inputs that have the pattern. */
  readonly constraints: readonly Affine[];
}

const mostPatterns = 5000;

/** Every way to set the network's ReLUs that some input of the box has (to HiGHS's tolerance), with the affine functions that follow. */
async function* patterns(network: Network, box: Box): AsyncGenerator<Pattern> {
  const last = network.nodes.length;
  if (reluNodes(network).length === 0) throw new RangeError('a network without ReLU has no patterns');
  let count = 0;
  interface Part {
    /** Values of the nodes so far, the last of them perhaps not whole. */
    readonly values: readonly (readonly Affine[])[];
    readonly constraints: readonly Affine[];
  }
  const open: Part[] = [{ values: [], constraints: [] }];
  for (let part = open.pop(); part !== undefined; part = open.pop()) {
    const values = [...part.values];
    const at = values.length - 1;
    const isPartial = at >= 0 && values[at].length < network.nodes[at].size;
    const node = network.nodes[isPartial ? at : values.length];
    if (!isPartial && values.length === last) {
      if (++count > mostPatterns) throw new RangeError(`more than ${mostPatterns} activation patterns`);
      yield { scores: values[network.output], constraints: part.constraints };
      continue;
    }
    if (node.kind !== 'relu') {
      const inputs = (): Affine[] => Array.from({ length: node.size }, (_, i) => variable(node.size, i));
      values.push(node.kind === 'input' ? inputs() : affineNode(node, values));
      open.push({ values, constraints: part.constraints });
      continue;
    }
    const known = isPartial ? values.pop()! : [];
    const z = values[node.from][known.length];
    const signs = await signsOf(z, part.constraints, box);
    for (const { sign, isImplied } of signs) {
      const value = sign > 0 ? z : new Float64Array(z.length);
      open.push({
        values: [...values, [...known, value]],
        constraints: isImplied ? part.constraints : [...part.constraints, z.map((v) => sign * v)],
      });
    }
  }
}

/** The signs that an affine function takes on the box where the constraints hold. */
async function signsOf(
  z: Affine,
  constraints: readonly Affine[],
  box: Box,
): Promise<{ readonly sign: 1 | -1; readonly isImplied: boolean }[]> {
  const [low, high] = range(z, box);
  if (low >= 0) return [{ sign: 1, isImplied: true }];
  if (high <= 0) return [{ sign: -1, isImplied: true }];
  const signs: { sign: 1 | -1; isImplied: boolean }[] = [];
  for (const sign of [1, -1] as const) {
    const most = await minimise({ objective: z.map((v) => -sign * v), constraints, box });
    if (most && -most.value >= 0) signs.push({ sign, isImplied: false });
  }
  return signs;
}

/** The values of an affine function on a box. */
export function range(affine: Affine, { lower, upper }: Box): [number, number] {
  let [low, high] = [affine[0], affine[0]];
  for (let i = 0; i < lower.length; i++) {
    const c = affine[i + 1];
    low += c * (c > 0 ? lower[i] : upper[i]);
    high += c * (c > 0 ? upper[i] : lower[i]);
  }
  return [low, high];
}
