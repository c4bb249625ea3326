import { createEngine } from '../../lib/group/engine';
import { type PropertyAnswer, settleProperties } from '../../lib/group/property';
import { verifyMiniBatch } from '../../lib/group/verify';
import { parseModel } from '../../lib/network/parse';
import { convert } from '../../lib/network/read';
import { random } from '../../lib/random';
import { type Box, contains } from '../../lib/region/box';
import { type HalfSpace, misclassification, type Violation, violates } from '../../lib/region/violation';
import { pointsOf, randomBox } from '../support/balls';
import { exactMinimumOnLine } from '../support/exact-line';
import { randomMlp } from '../support/models';
import { approximate, compare, zero } from '../support/rational';

const classes = 3;

/** Disjunctions of one to three conjunctions of one to three half-spaces; some rows are constants, some compare two outputs. */
function randomViolation(seed: number, shift: number): Violation {
  const rng = random(seed);
  const halfSpace = (): HalfSpace => {
    const kind = rng.int(4);
    const coefficients = new Float64Array(classes);
    if (kind === 0) coefficients[rng.int(classes)] = rng.int(2) === 0 ? 1 : -1;
    else if (kind === 1) {
      const k = rng.int(classes);
      coefficients[k] = 1;
      coefficients[(k + 1 + rng.int(2)) % classes] = -1;
    } else for (let k = 0; k < classes; k++) coefficients[k] = 2 * rng.uniform() - 1;
    return { coefficients, offset: rng.uniform() - shift };
  };
  return Array.from({ length: 1 + rng.int(3) }, () => Array.from({ length: 1 + rng.int(3) }, halfSpace));
}

describe('answers to disjunctions of conjunctions over several boxes', () => {
  const seen: Record<PropertyAnswer['kind'], number> = { sat: 0, unsat: 0, unknown: 0, timeout: 0 };

  test.each(Array.from({ length: 24 }, (_, seed) => seed))('seed %d', async (seed) => {
    const engine = await createEngine(randomMlp([2, 5, 4, classes], 500 + seed), `net ${seed}`);
    const properties = Array.from({ length: 1 + (seed % 3) }, (_, i) => ({
      box: randomBox(2, 0.2 + (seed % 4) / 3, 100 * seed + i),
      violation: randomViolation(7 * seed + i, 0.6 + (seed % 5) / 4),
    }));
    const answer = await settleProperties(engine, properties, { deadline: Date.now() + 1000, seed });
    seen[answer.kind]++;
    if (answer.kind === 'sat') {
      const scores = await engine.original.scores(answer.witness, 1);
      expect(
        properties.some(({ box, violation }) => contains(box, answer.witness) && violates(violation, scores)),
      ).toBe(true);
    }
    if (answer.kind === 'unsat') {
      for (const [i, { box, violation }] of properties.entries()) {
        const points = pointsOf(box, 2000, seed + i);
        const inputs = new Float32Array(points.length * 2);
        for (const [p, point] of points.entries()) inputs.set(point, 2 * p);
        const scores = await engine.original.scores(inputs, points.length);
        const hits = points.filter((_, p) => violates(violation, scores.subarray(p * classes, (p + 1) * classes)));
        expect(hits).toEqual([]);
      }
    }
    await engine.release();
  });

  test('all kinds of answers occurred', () => {
    expect(seen.sat).toBeGreaterThan(4);
    expect(seen.unsat).toBeGreaterThan(4);
    expect(seen.timeout + seen.unknown).toBeLessThan(12);
  });
});

test('verdicts never contradict the exact minimum, however near it is to a tie', async () => {
  let settled = 0;
  for (let seed = 0; seed < 5; seed++) {
    const bytes = randomMlp([3, 4, 3, 2], 900 + seed);
    const engine = await createEngine(bytes, `net ${seed}`);
    const exact = convert(parseModel(bytes, ''), '');
    const { lower, upper } = randomBox(3, 0.8, seed);
    for (const i of [0, 1]) upper[i] = lower[i] = Math.fround(lower[i]);
    const box: Box = { lower, upper };
    const [[{ coefficients }]] = misclassification(0, 2);
    const margin = { coefficients: coefficients.map((c) => -c), offset: 0 };
    const least = approximate(exactMinimumOnLine(exact, box, margin));
    for (const distance of [1e-3, -1e-3, 1e-5, -1e-5, 1e-7, -1e-7, 1e-9, -1e-9]) {
      const offset = distance - least;
      const exactly = exactMinimumOnLine(exact, box, { ...margin, offset });
      const violation = [[{ coefficients, offset: -offset }]];
      const { members } = await verifyMiniBatch(engine, [{ box, violation, seed }], {
        effort: { bound: true, restarts: 2, steps: 10, patience: 2, searchShare: 1 },
        secondsPerBall: 0.15,
        deadline: Date.now() + 2000,
      });
      const [{ verdict }] = members;
      if (verdict !== 'open') settled++;
      if (verdict === 'robust') expect(compare(exactly, zero)).toBeGreaterThan(0);
      // What the model computes in float32 may differ from its real value by some roundings.
      if (verdict === 'not-robust') expect(approximate(exactly)).toBeLessThan(1e-6);
      if (Math.abs(distance) === 1e-3) expect(verdict).toBe(distance > 0 ? 'robust' : 'not-robust');
    }
    await engine.release();
  }
  expect(settled).toBeGreaterThan(10);
});
