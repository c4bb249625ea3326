import { provenMargin } from '../../../lib/bounds/margin';
import type { Lemma } from '../../../lib/group/lemmas/lemma';
import { createProver } from '../../../lib/group/lemmas/prover';
import { tailOf } from '../../../lib/group/lemmas/tail';
import { evaluate } from '../../../lib/network/evaluate';
import { reluNodes } from '../../../lib/network/network';
import { readNetwork } from '../../../lib/network/read';
import { misclassification } from '../../../lib/region/violation';
import { pointsOf } from '../../support/balls';
import { randomMlp } from '../../support/models';
import { smallNets } from '../../support/small-nets';
import { attacked, lemmasOf, marginAt, neighbours, someLemma } from './support';

const small = (kind: string): Uint8Array => smallNets.find((net) => net.kind === kind)!.make(5);
const nets: [string, Uint8Array][] = [
  ['dense layers', randomMlp([5, 16, 14, 12, 4], 3)],
  ['convolutions', small('conv')],
  ['a residual connection', small('residual')],
];

describe.each(nets)('a net of %s', (_, model) => {
  const { network } = readNetwork(model);
  const cutting = reluNodes(network).filter((relu) => tailOf(network, relu) !== undefined);

  test('its values are those of the rest of it on the values of a layer', () => {
    let wrong = 0;
    for (const { box } of neighbours(network, 5, 0.2, 9)) {
      const values = evaluate(network, Float32Array.from(box.lower));
      for (const relu of cutting) {
        const tail = tailOf(network, relu)!;
        const scores = evaluate(tail, values[relu])[tail.output];
        if (scores.some((score, k) => score !== values[network.output][k])) wrong++;
      }
    }
    expect(cutting.length).toBeGreaterThan(0);
    expect(wrong).toBe(0);
  });

  test('no sampled or attacked point of a ball settled by a lemma is below its margin', async () => {
    let settled = 0;
    let wrong = 0;
    for (const layer of cutting) {
      const { lemmas, release } = lemmasOf(model, { layer });
      for (let seed = 1; seed <= 3; seed++) {
        for (const radius of [0.001, 0.02]) {
          const queries = neighbours(network, 8, radius, seed);
          for (const [i, { lemma }] of (await lemmas.bound(queries)).entries()) {
            if (lemma === undefined) continue;
            settled++;
            const { box, label } = queries[i];
            const points = [...pointsOf(box, 6, i), attacked(network, label!, box)];
            if (!(lemma > 0) || points.some((x) => marginAt(network, label!, x) < lemma)) wrong++;
          }
        }
      }
      await release();
    }
    expect(settled).toBeGreaterThan(10);
    expect(wrong).toBe(0);
  });

  test('what is proven without lemmas is proven with them, and balls that leave do not change what stays', async () => {
    const { lemmas, bounder, release } = lemmasOf(model, { layer: cutting[cutting.length - 1] });
    const queries = [...neighbours(network, 9, 0.01, 1), ...neighbours(network, 9, 0.06, 2)];
    const plain = await bounder.bound(queries);
    const found = await lemmas.bound(queries);
    const margin = (i: number, rows: Float64Array) =>
      provenMargin(misclassification(queries[i].label!, network.classes), rows);
    let lost = 0;
    let different = 0;
    for (const [i, { rows, lemma, left }] of found.entries()) {
      if (margin(i, plain[i].rows) > 0 && !(lemma ?? margin(i, rows) > 0)) lost++;
      if ((left === true) !== (lemma !== undefined)) different++;
      if (!left && rows.some((value, k) => Math.abs(value - plain[i].rows[k]) > 1e-4)) different++;
    }
    await release();
    expect([lost, different]).toEqual([0, 0]);
  });
});

test('a box that cannot be proven never becomes a lemma', async () => {
  const model = randomMlp([5, 16, 14, 12, 4], 3);
  const { network, lemmas, bounder, release } = lemmasOf(model, { layer: reluNodes(readNetwork(model).network)[1] });
  const wide = neighbours(network, 12, 1.5, 1);
  const found = await lemmas.bound(wide);
  expect(found.filter(({ lemma }) => lemma !== undefined)).toEqual([]);
  expect(lemmas.takeNew()).toEqual([]);
  const size = network.nodes[reluNodes(network)[1]].size;
  const everything = { lower: new Float32Array(size), upper: new Float32Array(size).fill(1e3) };
  const lie: Lemma = { label: 0, relu: reluNodes(network)[1], box: everything, margin: 5, members: 9 };
  expect(await lemmas.admit([lie])).toBe(0);
  expect((await lemmas.bound(neighbours(network, 2, 1.5, 1))).every(({ lemma }) => lemma === undefined)).toBe(true);
  const prover = createProver(bounder.programs.network);
  // Nothing is proven of an empty box, or of one without bounds.
  const broken = [Number.NaN, Number.POSITIVE_INFINITY, -1].map((value) => {
    return { lower: new Float32Array(size), upper: new Float32Array(size).fill(value) };
  });
  expect([...(await prover.margins(lie.relu, 0, broken))]).toEqual(broken.map(() => Number.NEGATIVE_INFINITY));
  await prover.release();
  await release();
});

test('a lemma of another label, layer, size, or about no class proves nothing', async () => {
  const model = randomMlp([5, 16, 14, 12, 4], 3);
  const relus = reluNodes(readNetwork(model).network);
  const { network, lemmas, release } = lemmasOf(model, { layer: relus[2] });
  const { lemma, queries } = await someLemma(network, lemmas);
  expect(lemma.members).toBeGreaterThanOrEqual(4);
  const other = lemmasOf(model, { startAfter: Number.POSITIVE_INFINITY });
  const forged: Lemma[] = [
    { ...lemma, label: (lemma.label + 1) % network.classes },
    { ...lemma, label: network.classes },
    { ...lemma, relu: relus[0] },
    { ...lemma, relu: network.output },
    { ...lemma, relu: 999 },
    { ...lemma, box: { lower: lemma.box.lower.slice(1), upper: lemma.box.upper.slice(1) } },
  ];
  expect(await other.lemmas.admit(forged)).toBe(0);
  // A true lemma holds for its label only.
  expect(await other.lemmas.admit([{ ...lemma, margin: 1e9 }])).toBe(1);
  const mine = await other.lemmas.bound(queries);
  const settled = mine.filter((ball) => ball.lemma !== undefined);
  expect(settled.length).toBeGreaterThanOrEqual(4);
  expect(settled.every((ball) => ball.lemma === lemma.margin)).toBe(true);
  const asked = queries.map((query) => ({ ...query, label: (lemma.label + 1) % network.classes }));
  expect((await other.lemmas.bound(asked)).every((ball) => ball.lemma === undefined)).toBe(true);
  await other.release();
  await release();
});
