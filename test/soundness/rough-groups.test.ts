import { createBounder } from '../../lib/bounds/bounder';
import { denseChunkOf } from '../../lib/bounds/dense/chunk';
import { evaluate } from '../../lib/network/evaluate';
import { readNetwork } from '../../lib/network/read';
import { pointsOf, randomBox } from '../support/balls';
import { randomMlp } from '../support/models';

const { network } = readNetwork(randomMlp([60, 24, 20, 16, 12, 4], 5));
const bounder = createBounder(network);
afterAll(() => bounder.release());
/** Functionals of four outputs, with an offset last. */
const all = [
  [1, -1, 0, 0, -100],
  [0, 1, 0, -1, 0],
  [0.5, 0, -2, 0, 50],
].map((c) => ({ coefficients: Float64Array.from(c.slice(0, 4)), offset: c[4] }));
const queries = Array.from({ length: 16 }, (_, i) => ({
  box: randomBox(60, [0, 0.002, 0.03, 0.3][i % 4], 7 * i + 1),
  rows: all.slice(i % 3),
}));
/** Which balls are let go after which layer. */
type Leaves = (ball: number, layer: number) => boolean;
/** Rough bounds of the rows of each query, in buffers that hold whatever `take` leaves in them. */
async function rough(some: typeof queries, leaves: Leaves, take = (size: number) => new Float32Array(size)) {
  const { programs } = bounder;
  const chunk = denseChunkOf(
    programs,
    { chain: programs.dense!, buffers: { take, give() {} } },
    some.map(({ box }) => box),
    { effort: 'rough', keepBounds: false },
  );
  const left = new Uint8Array(some.length);
  let layer = 0;
  await chunk.propagate(async () => {
    for (let b = 0; b < left.length; b++) if (leaves(b, layer)) left[b] = 1;
    layer++;
  }, left);
  return chunk.boundOutputs(some.map(({ rows }) => rows));
}
test.each<[string, Leaves]>([
  ['the first ones', (ball, layer) => ball < 3 * layer],
  ['every other one', (ball, layer) => ball % 2 === 0 && ball <= 4 * layer + 2],
  ['all but one', (ball, layer) => layer >= 1 && ball !== 9],
  ['all', (ball, layer) => layer >= ball % 3],
])('rough bounds hold when balls leave, are those of each alone, and read no old buffer: %s', async (_, leaves) => {
  const found = await rough(queries, leaves);
  expect(await rough(queries, leaves, (size) => new Float32Array(size).fill(Number.NaN))).toEqual(found);
  for (const [i, query] of queries.entries()) {
    const [alone] = await rough([query], (_, layer) => leaves(i, layer));
    for (const [r, bound] of found[i].entries())
      expect(Math.abs(bound - alone[r])).toBeLessThan(1e-3 * (1 + Math.abs(alone[r])));
    for (const x of pointsOf(query.box, 20, i))
      for (const [r, { coefficients, offset }] of query.rows.entries())
        expect(found[i][r]).toBeLessThanOrEqual(
          evaluate(network, x)[network.output].reduce((sum, v, c) => sum + v * coefficients[c], offset),
        );
  }
});
