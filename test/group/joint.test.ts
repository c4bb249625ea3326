import { createBounder } from '../../lib/bounds/bounder';
import { effortOf } from '../../lib/group/effort';
import { createEngine } from '../../lib/group/engine';
import { createJointBounds, type JointQuestion } from '../../lib/group/joint';
import type { Techniques } from '../../lib/group/techniques';
import { verifyMiniBatch } from '../../lib/group/verify';
import { evaluate } from '../../lib/network/evaluate';
import { readNetwork } from '../../lib/network/read';
import { misclassification } from '../../lib/region/violation';
import { randomMlp, uniform } from '../support/models';

const model = randomMlp([6, 24, 16, 3], 4);
const { network } = readNetwork(model);
const point = uniform(12)(6);
const scores = evaluate(network, point)[network.output];
const label = scores.indexOf(Math.max(...scores));
const violation = misclassification(label, 3);

/** Questions about points near one another, of the label that the network gives there. */
function questions(count: number, radius: number): JointQuestion[] {
  return Array.from({ length: count }, (_, i) => {
    const shift = uniform(100 + i)(6, 0.01);
    const bound = (sign: number): Float64Array => Float64Array.from(point, (c, k) => c + shift[k] + sign * radius);
    return { box: { lower: bound(-1), upper: bound(1) }, violation };
  });
}

test('with the switch members are settled by joint bounds, with the verdicts that they have without', async () => {
  const engine = await createEngine(model, 'model', { joint: { always: true } });
  const members = [0.001, 0.05, 0.3, 1].flatMap((radius, k) =>
    questions(6, radius).map((question, i) => ({ ...question, seed: 10 * k + i })),
  );
  const settle = async (techniques: Techniques) => {
    const options = { effort: effortOf(1, 'first'), secondsPerBall: 5, deadline: Date.now() + 60_000, techniques };
    return (await verifyMiniBatch(engine, members, options)).members;
  };
  const joint = await settle({ lemmas: false, jointBounds: true });
  const alone = await settle({ lemmas: false });
  expect(joint.map(({ verdict }) => verdict)).toEqual(alone.map(({ verdict }) => verdict));
  const by = joint.map((member) => (member.verdict === 'open' ? member.reason : member.settledBy));
  expect(by.filter((settler) => settler === 'joint bound').length).toBeGreaterThan(5);
  // Those that joint bounds leave open go on by themselves.
  expect(new Set(by).size).toBeGreaterThan(1);
  expect(alone.some((member) => member.verdict === 'robust' && member.settledBy === 'joint bound')).toBe(false);
  await engine.release();
});

/** How often joint bounds are really computed: their first interval step is the bounder's program. */
async function tries(radius: number, count: number, rounds: number): Promise<number> {
  let steps = 0;
  const bounder = createBounder(network, {
    observe: (key) => {
      if (key === 'forward 1') steps++;
    },
  });
  const joint = createJointBounds(bounder, { startAfter: 0 });
  const members = questions(count, radius);
  let tried = 0;
  for (let round = 0; round < rounds; round++) {
    const before = steps;
    const proven = await joint.prove(members);
    tried += steps - before;
    const rest = members.filter((_, i) => !proven.has(i));
    await joint.individually(members, rest.length, () => bounder.bound(rest.map(({ box }) => ({ box, rows: [] }))));
  }
  await joint.release();
  await bounder.release();
  return tried;
}

test('where they settle nothing they are tried ever more seldom', async () => {
  const tried = await tries(5, 8, 40);
  expect(tried).toBeGreaterThan(1);
  // The first, and then after 1, 2, 4, 8, 16 refusals.
  expect(tried).toBeLessThan(8);
});

test('few members share too little', async () => {
  expect(await tries(0.001, 3, 5)).toBe(0);
});

test('nothing is tried before bounds cost as much as the programs do', async () => {
  const bounder = createBounder(network);
  const joint = createJointBounds(bounder);
  expect((await joint.prove(questions(8, 0.001))).size).toBe(0);
  await joint.release();
  await bounder.release();
});
