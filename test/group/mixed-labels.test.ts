import { createEngine } from '../../lib/group/engine';
import { createLemmas } from '../../lib/group/lemmas/lemmas';
import { verifyMiniBatch } from '../../lib/group/verify';
import { evaluate } from '../../lib/network/evaluate';
import { misclassification } from '../../lib/region/violation';
import { pointsOf } from '../support/balls';
import { randomMlp, uniform } from '../support/models';

test.each([
  { lemmas: true },
  { lemmas: false, jointBounds: true },
  { lemmas: false, jointSearch: true },
  { lemmas: true, jointBounds: true },
  { lemmas: true, jointBounds: true, transfer: true },
])('members of several labels, some wrong, get verdicts of their own: %j', async (techniques) => {
  const plain = await createEngine(randomMlp([6, 24, 16, 3], 13), 'model', { joint: { always: true } });
  const engine = { ...plain, lemmas: createLemmas(plain.bounder, { layer: plain.bounder.programs.relus[1] }) };
  const scoresAt = (x: ArrayLike<number>) => [...evaluate(plain.network, x)[plain.network.output]];
  const members = Array.from({ length: 48 }, (_, i) => {
    const centre = uniform(i % 12)(6, 2);
    const scores = scoresAt(centre);
    const label = (scores.indexOf(Math.max(...scores)) + (i % 5 === 4 ? 1 : 0)) % 3; // Every fifth has another label than the net's.
    const bound = (sign: number) =>
      Float64Array.from(centre, (c) => c + sign * [0.001, 0.03, 0.1, 0.2][(i + Math.floor(i / 12)) % 4]);
    return { box: { lower: bound(-1), upper: bound(1) }, violation: misclassification(label, 3), seed: i, label };
  });
  const options = {
    effort: { bound: true, restarts: 3, steps: 20, patience: 2, searchShare: 1 },
    secondsPerBall: 20,
    deadline: Date.now() + 50_000,
  };
  for (const [i, outcome] of (await verifyMiniBatch(engine, members, { ...options, techniques })).members.entries()) {
    const { box, label } = members[i];
    expect(outcome.verdict).toBe((await verifyMiniBatch(plain, [members[i]], options)).members[0].verdict);
    if (outcome.verdict === 'robust')
      for (const x of pointsOf(box, 30, i))
        expect(outcome.margin).toBeLessThanOrEqual(
          Math.min(...scoresAt(x).flatMap((v, k) => (k === label ? [] : [scoresAt(x)[label] - v]))),
        );
  }
  await engine.lemmas.release();
  await plain.release();
});
