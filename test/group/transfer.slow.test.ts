import { createEngine } from '../../lib/group/engine';
import type { Member } from '../../lib/group/member';
import { predictedClass } from '../../lib/group/predicted-class';
import { verifyMiniBatch } from '../../lib/group/verify';
import { evaluate } from '../../lib/network/evaluate';
import { misclassification } from '../../lib/region/violation';
import { pointsOf } from '../support/balls';
import { randomMlp, uniform } from '../support/models';

const inputs = 6;
const effort = { bound: true, restarts: 2, steps: 10, patience: 2, searchShare: 1 };

test('members of a mini-batch get the verdicts that they get alone, some by what proved others', async () => {
  const seen = { different: 0, refuted: 0, transferred: 0 };
  for (const seed of [1, 2, 3, 4]) {
    const engine = await createEngine(randomMlp([inputs, 24, 20, 3], seed), `net ${seed}`);
    const centre = uniform(seed)(inputs);
    const label = predictedClass(await engine.original.scores(Float32Array.from(centre), 1));
    const members = Array.from({ length: 8 }, (_, i): Member => {
      const move = uniform(10 * seed + i)(inputs);
      const radius = 0.14 + 0.03 * i;
      const bound = (sign: number) => Float64Array.from(centre, (c, j) => c + 0.02 * move[j] + sign * radius);
      return { box: { lower: bound(-1), upper: bound(1) }, violation: misclassification(label, 3), seed: i };
    });
    const options = { effort, secondsPerBall: 60, deadline: Date.now() + 60_000 };
    const together = await verifyMiniBatch(engine, members, {
      ...options,
      techniques: { lemmas: false, transfer: true },
    });
    for (const [i, outcome] of together.members.entries()) {
      const [alone] = (await verifyMiniBatch(engine, [members[i]], options)).members;
      if (alone.verdict !== outcome.verdict) seen.different++;
      if (outcome.verdict !== 'robust') continue;
      if (outcome.settledBy === 'transfer') seen.transferred++;
      const others = [0, 1, 2].filter((k) => k !== label);
      for (const point of pointsOf(members[i].box, 100, i)) {
        const scores = evaluate(engine.network, point)[engine.network.output];
        if (others.some((k) => scores[label] - scores[k] < outcome.margin)) seen.refuted++;
      }
    }
    await engine.release();
  }
  expect(seen.refuted).toBe(0);
  expect(seen.different).toBe(0);
  expect(seen.transferred).toBeGreaterThan(0);
});
