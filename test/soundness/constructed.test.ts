import { marginRows } from '../../lib/bounds/margin';
import { createEngine } from '../../lib/group/engine';
import { settleProperties } from '../../lib/group/property';
import { parseModel } from '../../lib/network/parse';
import type { NodeProto } from '../../lib/network/protobuf';
import { convert } from '../../lib/network/read';
import { floatTensor } from '../../lib/network/tensor';
import { misclassification } from '../../lib/region/violation';
import { exactMinimumOnLine } from '../support/exact-line';
import { modelBytes, node } from '../support/models';
import { compare, rational } from '../support/rational';

const gemm = (from: string, to: string, ...constants: string[]): NodeProto =>
  node('Gemm', [from, ...constants], to, { transB: 1 });

/** A model of one input and two classes. */
function model(nodes: NodeProto[], constants: { readonly [name: string]: readonly number[] | readonly number[][] }) {
  const initializers = Object.entries(constants).map(([name, values]) => {
    const rows = values as readonly (number | number[])[];
    const dims = Array.isArray(rows[0]) ? [rows.length, rows[0].length] : [rows.length];
    return floatTensor(name, dims, Float32Array.from(rows.flat()));
  });
  return modelBytes({ nodes, initializers, input: ['batch', 1], output: ['batch', 2] });
}

/** Each was once proven to have a margin that it does not have, or is a near relative of one that was. */
const cases: [string, Uint8Array, number, number][] = [];
for (const sign of [1, -1]) {
  const end = { v: [[1], [0]], d: sign > 0 ? [-0.6, 0] : [0, 0.45] };
  const shifts = { a: [1e20], b: [0.1 * sign], c: [-1e20] };
  cases.push([
    `constants 1e20, ${0.1 * sign} and -1e20 added in a row`,
    model(
      [
        gemm('x', 'z', 'w'),
        node('Add', ['z', 'a'], 'z1'),
        node('Add', ['z1', 'b'], 'z2'),
        node('Add', ['z2', 'c'], 'z3'),
        node('Relu', ['z3'], 'h'),
        gemm('h', 'y', 'v', 'd'),
      ],
      { w: [[1]], ...shifts, ...end },
    ),
    0.5,
    1,
  ]);
  cases.push([
    `biases 1e20, ${0.1 * sign} and -1e20 of three branches`,
    model(
      [
        node('Relu', ['x'], 'r'),
        gemm('r', 'p', 'w', 'a'),
        gemm('r', 'q', 'w', 'b'),
        gemm('r', 's', 'w', 'c'),
        node('Sum', ['p', 'q', 's'], 'z'),
        node('Relu', ['z'], 'h'),
        gemm('h', 'y', 'v', 'd'),
      ],
      { w: [[1]], ...shifts, v: [[1], [0]], d: sign > 0 ? [-1.6, 0] : [0, 1.45] },
    ),
    0.5,
    1,
  ]);
  for (const weight of [1.1e-23, 1.3e-23, 3e-24]) {
    cases.push([
      `weight ${weight} scaled by 1e-21, then by ${sign}e38`,
      model([gemm('x', 'z', 'w'), node('Mul', ['z', 'c'], 'z1'), node('Relu', ['z1'], 'h'), gemm('h', 'y', 'v')], {
        w: [[weight]],
        c: [1e-21],
        v: [[1e38 * sign], [0]],
      }),
      0.5,
      1,
    ]);
    cases.push([
      `values below 1e-43 across zero, then ${sign}e38, input ${weight}`,
      model([gemm('x', 'z', 'w', 'b'), node('Relu', ['z'], 'h'), gemm('h', 'y', 'v')], {
        w: [[1e-21]],
        b: [-1e-45],
        v: [[1e38 * sign], [0]],
      }),
      -0.3 * weight,
      weight,
    ]);
  }
}

test.each(cases)('%s', async (_, bytes, lower, upper) => {
  const engine = await createEngine(bytes, 'constructed');
  const box = { lower: Float64Array.of(lower), upper: Float64Array.of(upper) };
  const row = { coefficients: Float64Array.of(1, -1), offset: 0 };
  const least = exactMinimumOnLine(convert(parseModel(bytes, ''), ''), box, row);
  const [{ rows }] = await engine.bounder.bound([{ box, rows: [row] }]);
  if (rows[0] > Number.NEGATIVE_INFINITY) expect(compare(rational(rows[0]), least)).toBeLessThanOrEqual(0);
  const violation = misclassification(0, 2);
  const result = await engine.searcher.search(box, violation, marginRows(violation), { deadline: Date.now() + 500 });
  if (result.kind === 'proven') expect(compare(rational(result.margin), least)).toBeLessThanOrEqual(0);
  else expect(['open', 'witness']).toContain(result.kind);
  await engine.release();
});

test('a violation that holds everywhere is never proven impossible, even where no float32 input lies', async () => {
  const bytes = model([gemm('x', 'y', 'w', 'b')], { w: [[0.1], [-0.1]], b: [5, 0] });
  const engine = await createEngine(bytes, 'constructed');
  const box = { lower: Float64Array.of(0.1 + 1e-12), upper: Float64Array.of(0.1 + 2e-12) };
  for (const violation of [[[]], [[], ...misclassification(0, 2)]]) {
    const answer = await settleProperties(engine, [{ box, violation }], { deadline: Date.now() + 2000, seed: 1 });
    expect(answer.kind).toBe('unknown');
  }
  await engine.release();
});
