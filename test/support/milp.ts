import type { Network } from '../../lib/network/network';
import type { Box } from '../../lib/region/box';
import { type Affine, affineNode, combine, variable } from './affine-forms';
import { range } from './brute-force';
import { minimise } from './highs';

/**
 * The minimum of coefficients . scores over the box as a mixed-integer linear program (Tjeng et al. 2019, "Evaluating robustness of neural networks with
 * mixed integer programming", section 4): a ReLU h of z in [l, u], l < 0 < u, is h >= 0, h >= z, h <= u d, h <= z - l (1 - d) with d of {0, 1}. Bounds
 * are those of interval arithmetic.
 */
export async function mixedIntegerMinimum(
  network: Network,
  box: Box,
  coefficients: ArrayLike<number>,
): Promise<{ readonly value: number; readonly input: Float64Array }> {
  const relus = network.nodes.reduce((sum, node) => sum + (node.kind === 'relu' ? node.size : 0), 0);
  const count = network.inputSize + 2 * relus;
  const lower = new Float64Array(count);
  const upper = new Float64Array(count);
  lower.set(box.lower);
  upper.set(box.upper);
  const constraints: Affine[] = [];
  const binaries: number[] = [];
  const values: Affine[][] = [];
  let next = network.inputSize;
  for (const node of network.nodes) {
    if (node.kind === 'input') {
      values.push(Array.from({ length: node.size }, (_, i) => variable(count, i)));
      continue;
    }
    if (node.kind !== 'relu') {
      values.push(affineNode(node, values));
      continue;
    }
    values.push(
      values[node.from].map((z) => {
        // Over the variables so far: the inputs and the ReLUs before, whose bounds are known.
        const [low, high] = range(z, { lower, upper });
        if (low >= 0) return z;
        if (high <= 0) return new Float64Array(z.length);
        const [h, d] = [variable(count, next), variable(count, next + 1)];
        upper[next] = high;
        upper[next + 1] = 1;
        binaries.push(next + 1);
        next += 2;
        constraints.push(combine([h, z], [1, -1]), combine([d, h], [high, -1]));
        const room = combine([z, h, d], [1, -1, low]);
        room[0] -= low;
        constraints.push(room);
        return h;
      }),
    );
  }
  const objective = combine(values[network.output], coefficients);
  const solution = await minimise({ objective, constraints, box: { lower, upper }, binaries });
  if (!solution) throw new Error('no input of the box satisfies the program');
  return { value: solution.value, input: solution.point.subarray(0, network.inputSize) };
}
