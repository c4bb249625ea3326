import { type BoundQuery, createBounder } from '../../lib/bounds/bounder';
import { readNetwork } from '../../lib/network/read';
import { random } from '../../lib/random';
import { randomBox } from '../support/balls';
import { randomMlp } from '../support/models';

/*
 * Balls of a dense chain share tables. Where some leave, the others' parts move together in the same memory, and a group of many rows is bounded in several
 * calls, each with its own part. A ball that gets the part of another one has slopes or neurons that are not its own, and bounds that do not hold.
 */
const row = { coefficients: Float64Array.of(1, -1, 0), offset: 0 };
const queriesOf = (inputs: number, radii: readonly number[]): BoundQuery[] =>
  radii.map((radius, i) => ({ box: randomBox(inputs, radius, 7 * i + 1), rows: [row] }));

/** Of the value where it is large, how much the bounds differ at most. */
function worst(found: readonly number[], expected: readonly number[]): number {
  return found.reduce((most, v, i) => Math.max(most, Math.abs(v - expected[i]) / (1 + Math.abs(expected[i]))), 0);
}

test.each([
  ['the first of a group', (ball: number, layer: number) => ball < 2 * layer],
  ['every other one, layer by layer', (ball: number, layer: number) => ball % 2 === 0 && ball <= 3 * layer],
  ['all but one', (ball: number, layer: number) => layer >= 2 && ball !== 7],
])('the balls that stay when others leave keep their bounds: %s', async (_, leaves) => {
  const { network } = readNetwork(randomMlp([8, 24, 20, 16, 12, 3], 5));
  const queries = queriesOf(8, [0.02, 0.1, 0.4, 0.02, 0.1, 0.4, 0.02, 0.1, 0.4]);
  const bounder = createBounder(network, { stages: false });
  const alone: number[] = [];
  for (const query of queries) alone.push((await bounder.bound([query]))[0].rows[0]);
  let layer = 0;
  const found = await bounder.bound(queries, async ({ left }) => {
    for (let ball = 0; ball < left.length; ball++) if (leaves(ball, layer)) left[ball] = 1;
    layer++;
  });
  const stayed = [...queries.keys()].filter((ball) => !found[ball].left);
  expect(stayed.length).toBeGreaterThan(0);
  expect(stayed.length).toBeLessThan(queries.length);
  expect(
    worst(
      stayed.map((ball) => found[ball].rows[0]),
      stayed.map((ball) => alone[ball]),
    ),
  ).toBeLessThan(1e-3);
  await bounder.release();
});

test('balls of a group that takes several calls have the bounds that they have alone', async () => {
  // Few rows at the second layer, for which groups are made, and many at the third.
  const { network } = readNetwork(randomMlp([10, 6, 6, 160, 3], 2));
  const queries = queriesOf(
    10,
    Array.from({ length: 12 }, () => 1),
  );
  const bounder = createBounder(network, { stages: false });
  const alone: number[] = [];
  for (const query of queries) alone.push((await bounder.bound([query]))[0].rows[0]);
  let widest = 0;
  const found = await bounder.bound(queries, async ({ lower, upper, balls }) => {
    widest = Math.max(widest, lower.filter((l, i) => l < 0 && upper[i] > 0).length / balls);
  });
  // Rows of all balls are more than a call has.
  expect(12 * widest).toBeGreaterThan(640);
  expect(
    worst(
      found.map(({ rows }) => rows[0]),
      alone,
    ),
  ).toBeLessThan(1e-3);
  await bounder.release();
});

test('more rows of one ball than a call has get the bounds that they have in small queries', async () => {
  const { network } = readNetwork(randomMlp([6, 12, 8, 3], 4));
  const rng = random(3);
  const rows = Array.from({ length: 1500 }, () => ({
    coefficients: Float64Array.from({ length: 3 }, () => rng.uniform() - 0.5),
    offset: 0,
  }));
  const bounder = createBounder(network, { stages: false });
  const box = randomBox(6, 0.5, 1);
  const [{ rows: found }] = await bounder.bound([{ box, rows }]);
  const expected: number[] = [];
  for (let start = 0; start < rows.length; start += 300) {
    expected.push(...(await bounder.bound([{ box, rows: rows.slice(start, start + 300) }]))[0].rows);
  }
  expect(worst([...found], expected)).toBeLessThan(1e-4);
  await bounder.release();
});
