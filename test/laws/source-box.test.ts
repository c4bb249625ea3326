import fc from 'fast-check';
import { graphBuilder } from '../../lib/bounds/graph';
import { gamma, unitRoundoff } from '../../lib/bounds/rounding';
import { type SessionCache, sessionCache, shapedTensor } from '../../lib/bounds/sessions';
import { dotGamma, dotRadii, dotRadius, type SourceBox, sourceBox } from '../../lib/bounds/source-box';
import { readNetwork } from '../../lib/network/read';
import { randomMlp } from '../support/models';

const { network } = readNetwork(randomMlp([3, 4, 2], 1), 'net');
const relu = network.nodes.findIndex(({ kind }) => kind === 'relu');
const g = gamma(900);

/** Boxes of a source from its two tables, by the program; `change` is what a seeded bug makes of it. */
async function boxes(
  sessions: SessionCache,
  source: number,
  tables: readonly [readonly number[], readonly number[]],
  change: (box: SourceBox, graph: ReturnType<typeof graphBuilder>) => SourceBox = (box) => box,
) {
  const n = tables[0].length;
  const session = await sessions.get(`${source} ${change}`, () => {
    const graph = graphBuilder();
    const box = change(sourceBox(graph, network, source, ['B', 1]), graph);
    graph.output('centre', box.centre);
    graph.output('radius', box.radius);
    graph.output('magnitude', box.magnitude);
    graph.output('enlarged', dotRadius(graph, box, g));
    return graph.encode();
  });
  const names = network.nodes[source].kind === 'relu' ? ['lower', 'upper'] : ['centre', 'radius'];
  const feed = (k: 0 | 1) => shapedTensor(Float32Array.from(tables[k]), [n, 1]);
  return session.run({ [`${names[0]}${source}`]: feed(0), [`${names[1]}${source}`]: feed(1) });
}

const values = fc.oneof(
  fc.float({ noNaN: true, noDefaultInfinity: true, min: Math.fround(-1e30), max: Math.fround(1e30) }),
  fc.float({ noNaN: true, min: Math.fround(-2), max: 2 }),
  fc.constantFrom(0, -0, 2 ** -149, -(2 ** -149), 2 ** -126, 2 ** -100, 1, -1),
);
const pairs = fc.array(fc.tuple(values, values), { minLength: 1, maxLength: 40 });

/** By how many roundoffs of the magnitude the box may miss what it should hold, besides what underflows. */
const roundings = 3;

function holds(low: number, high: number, centre: number, radius: number, magnitude: number): boolean {
  const slack = roundings * unitRoundoff * magnitude + 2 ** -124;
  return (
    centre - radius <= low + slack &&
    centre + radius >= high - slack &&
    magnitude >= Math.max(Math.abs(low), Math.abs(high)) - 2 ** -124
  );
}

let sessions: SessionCache;
beforeAll(() => {
  sessions = sessionCache(1);
});
afterAll(() => sessions.release());

async function everyBoxHolds(
  list: readonly (readonly [number, number])[],
  change?: (box: SourceBox, graph: ReturnType<typeof graphBuilder>) => SourceBox,
): Promise<boolean> {
  const lower = list.map(([a, b]) => Math.min(a, b));
  const upper = list.map(([a, b]) => Math.max(a, b));
  const { centre, radius, magnitude } = await boxes(sessions, relu, [lower, upper], change);
  return list.every((_, i) => holds(Math.max(lower[i], 0), Math.max(upper[i], 0), centre[i], radius[i], magnitude[i]));
}

test('the box of a ReLU holds its output, up to the roundings that the error weights count', async () => {
  await fc.assert(
    fc.asyncProperty(pairs, async (list) => everyBoxHolds(list)),
    { numRuns: 300 },
  );
});

test.each<[string, (box: SourceBox, graph: ReturnType<typeof graphBuilder>) => SourceBox]>([
  ['the lower bound taken for 0', (box) => ({ ...box, centre: box.radius })],
  ['half the radius', (box, graph) => ({ ...box, radius: graph.node('Mul', [box.radius, graph.scalar(0.5)]) })],
  ['the magnitude of the centre', (box) => ({ ...box, magnitude: box.centre })],
])('a box with %s is told', async (_, change) => {
  const list = [[0.5, 1] as const, [-1, 2] as const];
  expect(await everyBoxHolds(list)).toBe(true);
  expect(await everyBoxHolds(list, change)).toBe(false);
});

test('inactive neurons have the box 0', async () => {
  const { centre, radius, magnitude } = await boxes(sessions, relu, [
    [-2, -1e30, -1, Number.NEGATIVE_INFINITY],
    [-1, 0, -0, -3],
  ]);
  for (const table of [centre, radius, magnitude]) expect([...table].every((value) => value === 0)).toBe(true);
});

test('bounds that contradict each other make no negative radius', async () => {
  const { centre, radius } = await boxes(sessions, relu, [
    [1, 3],
    [-1, 2],
  ]);
  expect([...radius]).toEqual([0.5, 0.5]);
  expect([...centre]).toEqual([0.5, 2.5]);
});

test('of a NaN or infinite upper bound nothing finite follows, and of a NaN lower bound nothing worse than 0', async () => {
  const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
  const { centre, radius, magnitude, enlarged } = await boxes(sessions, relu, [
    [-1, nan, 1, nan],
    [nan, nan, inf, 2],
  ]);
  for (const table of [centre, radius, magnitude, enlarged]) {
    for (const i of [0, 1, 2]) expect(Number.isFinite(table[i])).toBe(false);
  }
  // Either NaN, or the box [0, 2].
  if (!Number.isNaN(centre[3])) expect([centre[3] - radius[3], centre[3] + radius[3]]).toEqual([0, 2]);
});

test('the enlarged radius is at least radius (1 + g) + g |centre|, in programs and out of them', async () => {
  await fc.assert(
    fc.asyncProperty(pairs, async (list) => {
      const centre = Float32Array.from(list, ([a]) => a);
      const radius = Float32Array.from(list, ([, b]) => Math.abs(b));
      const { enlarged } = await boxes(sessions, 0, [[...centre], [...radius]]);
      const outside = dotRadii(network, { centre, radius });
      const own = dotGamma(network, 0);
      for (let i = 0; i < list.length; i++) {
        const [r, c] = [radius[i], Math.abs(centre[i])];
        // Float64 rounds this by far less than the float32 number is above it.
        expect(enlarged[i]).toBeGreaterThanOrEqual(r * (1 + g) + g * c);
        expect(enlarged[i]).toBeLessThanOrEqual((r * (1 + g) + g * c) * (1 + 2 ** -18) + 2 ** -79);
        expect(outside[i]).toBeGreaterThanOrEqual(r * (1 + own) + own * c);
      }
    }),
    { numRuns: 300 },
  );
});

test('a box without bounds keeps an infinite radius', async () => {
  const { enlarged } = await boxes(sessions, 0, [[0.5], [Number.POSITIVE_INFINITY]]);
  expect(enlarged[0]).toBe(Number.POSITIVE_INFINITY);
  const none = { centre: Float32Array.of(0, Number.NaN), radius: Float32Array.of(Number.POSITIVE_INFINITY, 1) };
  expect([...dotRadii(network, none)]).toEqual([Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]);
});
