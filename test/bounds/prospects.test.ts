import { createBounder } from '../../lib/bounds/bounder';
import { marginRows } from '../../lib/bounds/margin';
import { createProspects } from '../../lib/bounds/prospects';
import { boundInStages } from '../../lib/bounds/stages';
import { evaluate } from '../../lib/network/evaluate';
import { readNetwork } from '../../lib/network/read';
import { misclassification } from '../../lib/region/violation';
import { pointsOf, randomBox } from '../support/balls';
import { randomMlp } from '../support/models';

/** Prospects that saw full passes leave the given parts of what rough ones lost, at one radius. */
function afterSeeing(parts: readonly number[], radius = 0.1) {
  const prospects = createProspects();
  for (const part of parts) prospects.learn(radius, 3, 3 * part);
  return prospects;
}
const steady = Array.from({ length: 40 }, (_, i) => 0.6 * (1 + 0.02 * ((i % 5) - 2)));
const varied = Array.from({ length: 40 }, (_, i) => 0.2 + 0.02 * i);

test('without experience a full pass may leave a third of what a rough one loses', () => {
  const prospects = createProspects();
  expect([1.1, 2, 2.8].map((lost) => prospects.mayProve(0.1, lost))).toEqual([true, true, true]);
  expect([2.9, 50, Number.POSITIVE_INFINITY].map((lost) => prospects.mayProve(0.1, lost))).toEqual([
    false,
    false,
    false,
  ]);
});

test('where it leaves about the same part of every ball, those beyond are let go', () => {
  const prospects = afterSeeing(steady);
  // 1 / 0.6 is 1.67; three deviations are 4 %.
  expect(prospects.mayProve(0.1, 1.68)).toBe(true);
  expect(prospects.mayProve(0.1, 1.9)).toBe(false);
});

test('where the part varies, and before enough is seen, nobody is let go for it', () => {
  expect(afterSeeing(varied).mayProve(0.1, 2.7)).toBe(true);
  expect(afterSeeing(steady.slice(0, 15)).mayProve(0.1, 2.7)).toBe(true);
  expect(afterSeeing(steady.slice(0, 16)).mayProve(0.1, 2.7)).toBe(false);
});

test('what was seen at a radius says nothing of others', () => {
  const prospects = afterSeeing(steady);
  expect(prospects.mayProve(0.102, 2.7)).toBe(false);
  expect(prospects.mayProve(0.2, 2.7)).toBe(true);
  expect(prospects.mayProve(0.05, 2.7)).toBe(true);
});

test('rows that lose nothing, that are worse in full, and overflow do not spoil what was learned', () => {
  const prospects = createProspects();
  for (const part of steady) {
    prospects.learn(0.1, 3, 3 * part);
    for (const full of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) prospects.learn(0.1, 3, full);
  }
  expect(prospects.mayProve(0.1, 1.68)).toBe(true);
  expect(prospects.mayProve(0.1, 1.9)).toBe(false);
  // A radius of nothing, as of a point.
  prospects.learn(0, 3, 2);
  expect(prospects.mayProve(0, 1.5)).toBe(true);
});

test('bounds hold whatever the prospects say, and they are told what both passes lost', async () => {
  const { network } = readNetwork(randomMlp([40, 16, 16, 12, 4], 3));
  const bounder = createBounder(network);
  const queries = Array.from({ length: 120 }, (_, i) => {
    const box = randomBox(40, 0.01 + 0.001 * (i % 60), i);
    const scores = evaluate(
      network,
      box.lower.map((low, k) => (low + box.upper[k]) / 2),
    )[network.output];
    return { box, rows: marginRows(misclassification(scores.indexOf(Math.max(...scores)), 4)) };
  });
  const learned: [rough: number, full: number][] = [];
  const asked: number[] = [];
  const boundsBy = (answer: boolean) =>
    boundInStages(
      bounder.programs,
      {
        mayProve: (radius, lost) => {
          asked.push(radius, lost);
          return answer;
        },
        learn: (_, rough, full) => learned.push([rough, full]),
      },
      queries,
    );
  const refused = await boundsBy(false);
  expect(learned).toEqual([]);
  const count = asked.length;
  const allowed = await boundsBy(true);
  await bounder.release();
  expect(count).toBeGreaterThan(0);
  expect(asked.every((value) => value > 0)).toBe(true);
  expect(learned).toHaveLength(count / 2);
  expect(learned.every(([rough, full]) => full > 0 && full <= rough)).toBe(true);
  expect(learned.some(([rough, full]) => full < 0.95 * rough)).toBe(true);
  for (const [i, { box, rows }] of queries.entries()) {
    for (const k of rows.keys()) expect(refused[i].rows[k]).toBeLessThanOrEqual(allowed[i].rows[k]);
    for (const x of pointsOf(box, 5, i)) {
      const scores = evaluate(network, x)[network.output];
      for (const [k, { coefficients }] of rows.entries())
        expect(allowed[i].rows[k]).toBeLessThanOrEqual(
          scores.reduce((sum, score, c) => sum + coefficients[c] * score, 0),
        );
    }
  }
});
