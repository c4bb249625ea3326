import { readFileSync } from 'node:fs';
import { attack } from '../../lib/attack/pgd';
import { replayOn } from '../../lib/attack/replay';
import { marginRows } from '../../lib/bounds/margin';

import { createEngine } from '../../lib/group/engine';
import { verifyMiniBatch } from '../../lib/group/verify';
import { evaluate } from '../../lib/network/evaluate';
import { random } from '../../lib/random';
import { type Box, contains } from '../../lib/region/box';
import { misclassification } from '../../lib/region/violation';
import { firstMnist } from '../support/mnist';
import { describeWithData, sharedData } from '../support/shared-data';

/** Boxes with the point on their surface or in them, one ulp included: radii of all sizes, sides of width zero. */
function boxesAround(point: Float32Array, count: number, seed: number): Box[] {
  const rng = random(seed);
  return Array.from({ length: count }, (_, n) => {
    const radius = 10 ** (-6 + (5 * n) / count);
    const lower = Float64Array.from(point);
    const upper = Float64Array.from(point);
    for (let i = 0; i < point.length; i++) {
      const side = rng.int(4);
      if (side !== 0) lower[i] -= radius * rng.uniform();
      if (side !== 1) upper[i] += radius * rng.uniform();
      if (side === 2) lower[i] = point[i];
      if (side === 3) upper[i] = point[i];
    }
    return { lower, upper };
  });
}

describeWithData('balls that contain a known counterexample', () => {
  test.each([
    ['mnist-net_256x2', 0.06, 80],
    ['mnist_conv_small', 0.1, 25],
  ])('%s: no stage proves one robust, and no bound exceeds the value there', async (name, epsilon, perWitness) => {
    const engine = await createEngine(readFileSync(sharedData(`nets/${name}.onnx`)), name);
    const { network, bounder, original } = engine;
    const { images, labels } = firstMnist(10);
    const targets = labels.map((label, i) => ({
      box: {
        lower: Float64Array.from(images[i], (pixel) => Math.max(0, pixel - epsilon)),
        upper: Float64Array.from(images[i], (pixel) => Math.min(1, pixel + epsilon)),
      },
      violation: misclassification(label, network.classes),
      seed: i,
    }));
    const options = { restarts: 2, steps: 15, pointsPerCall: 64 };
    const witnesses = await attack(bounder.programs, targets, replayOn(original, targets), options);
    let rowsCompared = 0;
    let balls = 0;
    for (const [i, witness] of witnesses.entries()) {
      if (witness === undefined) continue;
      const { violation } = targets[i];
      const rows = marginRows(violation);
      const scores = evaluate(network, witness)[network.output];
      const values = rows.map(({ coefficients }) => scores.reduce((sum, score, k) => sum + coefficients[k] * score, 0));
      // The float32 model decided; the proof is about real arithmetic.
      if (!(Math.min(...values) < 0)) continue;
      const boxes = boxesAround(witness, perWitness, i);
      const bounds = await bounder.bound(boxes.map((box) => ({ box, rows })));
      for (const [b, box] of boxes.entries()) {
        balls++;
        expect(contains(box, witness)).toBe(true);
        for (const [k, value] of values.entries()) {
          rowsCompared++;
          if (bounds[b].rows[k] > value) expect(`row ${k} of ball ${b} around ${i}: ${bounds[b].rows[k]}`).toBe(value);
        }
      }
      const few = boxes.filter((_, b) => b % Math.ceil(boxes.length / 3) === 0);
      for (const attacked of [true, false]) {
        const { members } = await verifyMiniBatch(
          engine,
          few.map((box) => ({ box, violation, seed: 1 })),
          {
            effort: { bound: true, restarts: 1, steps: attacked ? 3 : 0, patience: 2, searchShare: 1 },
            secondsPerBall: 0.05,
            deadline: attacked ? Number.POSITIVE_INFINITY : Date.now() + 200,
          },
        );
        for (const { verdict } of members) expect(verdict).not.toBe('robust');
      }
    }
    expect(balls).toBeGreaterThan(20);
    expect(rowsCompared).toBe(9 * balls);
    await engine.release();
  });
});
