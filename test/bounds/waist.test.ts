import { createBounder } from '../../lib/bounds/bounder';
import { marginRows } from '../../lib/bounds/margin';
import { evaluate } from '../../lib/network/evaluate';
import type { NodeProto, TensorProto } from '../../lib/network/protobuf';
import { readNetwork } from '../../lib/network/read';
import { floatTensor } from '../../lib/network/tensor';
import type { Box } from '../../lib/region/box';
import { misclassification } from '../../lib/region/violation';
import { pointsOf, randomBox } from '../support/balls';
import { modelBytes, node, randomMlp, uniform } from '../support/models';

/** Two convolutions, and dense layers with or without a ReLU between; `around` adds the input to the second convolution's output. */
function convNet(seed: number, { hidden, around }: { hidden: boolean; around: boolean }) {
  const draw = uniform(seed);
  const tensor = (name: string, dims: number[], terms: number): TensorProto =>
    floatTensor(
      name,
      dims,
      draw(
        dims.reduce((a, b) => a * b),
        Math.sqrt(3 / terms),
      ),
    );
  const initializers = [
    tensor('k0', [3, 1, 3, 3], 9),
    tensor('c0', [3], 9),
    tensor('k1', [1, 3, 3, 3], 27),
    tensor('c1', [1], 27),
    tensor('v', [10, 64], 64),
    tensor('a', [10], 64),
    tensor('w', [3, hidden ? 10 : 64], 10),
    tensor('b', [3], 10),
  ];
  const pads = { pads: [1, 1, 1, 1] };
  const nodes: NodeProto[] = [
    node('Conv', ['x', 'k0', 'c0'], 'z0', pads),
    node('Relu', ['z0'], 'h0'),
    node('Conv', ['h0', 'k1', 'c1'], 'z1', pads),
    node('Relu', ['z1'], 'h1'),
    ...(around ? [node('Add', ['h1', 'x'], 's')] : []),
    node('Flatten', [around ? 's' : 'h1'], 'flat'),
    ...(hidden ? [node('Gemm', ['flat', 'v', 'a'], 'z2', { transB: 1 }), node('Relu', ['z2'], 'h2')] : []),
    node('Gemm', [hidden ? 'h2' : 'flat', 'w', 'b'], 'y', { transB: 1 }),
  ];
  return readNetwork(modelBytes({ nodes, initializers, input: ['batch', 1, 8, 8], output: ['batch', 3] })).network;
}

const rowsOf = (network: ReturnType<typeof convNet>, { lower, upper }: Box) => {
  const centre = lower.map((low, i) => (low + upper[i]) / 2);
  const scores = [...evaluate(network, centre)[network.output]];
  return marginRows(misclassification(scores.indexOf(Math.max(...scores)), 3));
};

test('rows stop at the last convolution first, where nothing goes around it and layers follow', async () => {
  const nets = [
    convNet(1, { hidden: true, around: false }),
    convNet(1, { hidden: true, around: true }),
    convNet(1, { hidden: false, around: false }),
    readNetwork(randomMlp([24, 12, 10, 4], 1)).network,
  ];
  const kinds = nets.map((network) => {
    const { waist } = createBounder(network).programs;
    return waist === undefined ? undefined : network.nodes[waist].size;
  });
  expect(kinds).toEqual([64, undefined, undefined, undefined]);
});

test('bounds of rows that stop there hold, and what they leave open gets the bounds of the whole way', async () => {
  const network = convNet(2, { hidden: true, around: false });
  const keys = new Map<string, number>();
  const staged = createBounder(network, { observe: (key) => keys.set(key, (keys.get(key) ?? 0) + 1) });
  const full = createBounder(network, { stages: false });
  const queries = [0.002, 0.01, 0.03, 0.1, 0.3].flatMap((radius, k) =>
    Array.from({ length: 6 }, (_, i) => {
      const box = randomBox(network.inputSize, radius, 10 * k + i);
      return { box, rows: rowsOf(network, box) };
    }),
  );
  const [found, expected] = [await staged.bound(queries), await full.bound(queries)];
  let [crossed, better, lost, loose] = [0, 0, 0, 0];
  for (const [i, { box, rows }] of queries.entries()) {
    for (const x of pointsOf(box, 30, i)) {
      const scores = evaluate(network, x)[network.output];
      for (const [k, { coefficients }] of rows.entries()) {
        if (scores.reduce((sum, score, c) => sum + coefficients[c] * score, 0) < found[i].rows[k]) crossed++;
      }
    }
    for (const [k, bound] of found[i].rows.entries()) {
      const whole = expected[i].rows[k];
      const band = 1e-3 * (1 + Math.abs(whole));
      if (bound > whole + band) better++;
      if (whole > band && !(bound > 0)) lost++;
      if (bound > 0 && bound < whole - 10 * band) loose++;
    }
  }
  expect({ crossed, better, lost }).toEqual({ crossed: 0, better: 0, lost: 0 });
  // Some were proven at the waist, and some beyond.
  expect(loose).toBeGreaterThan(0);
  const stops = [...keys.keys()].filter((key) => key.includes('free')).map((key) => key.split(' ').at(-1));
  expect(new Set(stops)).toEqual(new Set([`${staged.programs.waist}`, '0']));
  await Promise.all([staged.release(), full.release()]);
});
