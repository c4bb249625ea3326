import { createEngine } from '../../lib/group/engine';
import { verifyMiniBatch } from '../../lib/group/verify';
import type { OriginalModel } from '../../lib/network/original';
import type { Violation } from '../../lib/region/violation';
import { randomMlp, uniform } from '../support/models';

/** A model that, like some kernels, sums one input in another order than several. */
function differingAlone(original: OriginalModel): OriginalModel {
  return {
    ...original,
    async scores(inputs, count) {
      const scores = await original.scores(inputs, count);
      return count === 1 ? scores.map((score, i) => (i % 2 === 0 ? score - 1e-3 : score)) : scores;
    },
  };
}

test.each([
  ['the same alone', (original: OriginalModel) => original, 'not-robust'],
  ['another rounding alone', differingAlone, 'open'],
])('a witness is one when the model gets it alone: %s', async (_, judge, verdict) => {
  const engine = await createEngine(randomMlp([4, 6, 2], 3), 'net');
  const point = uniform(1)(4);
  const [first, second] = await engine.original.scores(point, 1);
  // Violated by less than the two ways to round differ.
  const violation: Violation = [[{ coefficients: Float64Array.of(1, -1), offset: second - first + 5e-4 }]];
  const box = { lower: Float64Array.from(point), upper: Float64Array.from(point) };
  const options = {
    effort: { bound: false, restarts: 3, steps: 2, patience: 2, searchShare: 0 },
    secondsPerBall: 1,
    deadline: Number.POSITIVE_INFINITY,
  };
  const judged = { ...engine, original: judge(engine.original) };
  const { members } = await verifyMiniBatch(judged, [{ box, violation, seed: 1 }], options);
  expect(members[0].verdict).toBe(verdict);
  await engine.release();
});
