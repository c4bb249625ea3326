import type { DenseNode, Network } from '../../lib/network/network';
import { blocksOf } from '../../lib/search/blocks';
import { foldActive } from '../../lib/search/fold';
import { inputOf, problemOf, problemRows } from '../../lib/search/problem';

const dense = (from: number, weight: readonly number[], bias: readonly number[]): DenseNode => ({
  kind: 'dense',
  name: `dense after ${from}`,
  shape: [bias.length],
  size: bias.length,
  from,
  weight: Float64Array.from(weight),
  bias: Float64Array.from(bias),
});

/** h = relu(W x + b) of two neurons; the scores are h_0 - h_1 and 0. */
function difference(first: DenseNode): Network {
  return {
    nodes: [
      { kind: 'input', name: 'x', shape: [1], size: 1 },
      first,
      { kind: 'relu', name: 'h', shape: [2], size: 2, from: 1 },
      dense(2, [1, -1, 0, 0], [0, 0]),
    ],
    output: 3,
    inputShape: [1],
    inputSize: 1,
    classes: 2,
  };
}

const box = { lower: Float32Array.of(-0.25), upper: Float32Array.of(0.25) };
const { reach } = inputOf(box);

describe('leaving out neurons that are active on all of a part', () => {
  test('is sound for all weights that a network may stand for, also where they cancel', () => {
    const foldError = 2 ** -27;
    // The network as it was read, before folding, may have the difference -2 * foldError.
    const blocks = blocksOf(difference({ ...dense(0, [1, 1], [1, 1]), foldError }));
    const bounds = [{ lower: Float32Array.of(0.75, 0.75), upper: Float32Array.of(1.25, 1.25) }];
    const folded = foldActive(blocks, { bounds, reach });
    const problem = problemOf(folded, box, bounds);
    const [row] = problemRows(folded, problem, [{ terms: [[0, 1]], offset: 0 }], bounds);
    const bound = row.constant - Math.abs(row.input?.[0] ?? 0);
    expect([...(row.coefficients[0] ?? [])]).toEqual([0]);
    expect(bound).toBeLessThanOrEqual(-2 * foldError * 1.25);
    expect(bound).toBeGreaterThan(-100 * foldError);
  });

  test('a neuron whose bounds exclude each other, or that is always 0, is left out', () => {
    const blocks = blocksOf(difference(dense(0, [1, 0], [0.5, 0])));
    for (const [low, high] of [
      [0, 0],
      [0.5, -0.5],
    ]) {
      const bounds = [{ lower: Float32Array.of(0.25, low), upper: Float32Array.of(0.75, high) }];
      const { folded, layers } = foldActive(blocks, { bounds, reach });
      expect(folded?.map((layer) => [...layer])).toEqual([[1, 0]]);
      expect(layers[1].bias[0]).toBe(0.5);
    }
  });

  test('a neuron that is assumed to have a sign, and so stays, is not counted among those that are left out', () => {
    const blocks = blocksOf(difference(dense(0, [1, -1], [1, 1])));
    const bounds = [{ lower: Float32Array.of(0.75, 0.75), upper: Float32Array.of(1.25, 1.25) }];
    const folded = foldActive(blocks, { bounds, reach });
    const [layer] = problemOf(folded, box, bounds, [new Map([[1, 1]])]).layers;
    expect([...layer.alive]).toEqual([1]);
    expect([...layer.folded.neurons]).toEqual([0]);
    expect([...layer.folded.upper]).toEqual([1.25]);
  });
});
