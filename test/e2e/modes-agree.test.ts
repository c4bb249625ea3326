import { readFileSync } from 'node:fs';
import { type BallSet, settleSet } from '../../bench/support/in-process';
import { createEngine, type Engine } from '../../lib/group/engine';
import { predict } from '../../lib/pipeline/predict';
import { ball } from '../../lib/region/ball';
import { emptyPosterior } from '../../lib/schedule/bandit';
import { statusAt } from '../../lib/schedule/state';
import { firstMnist } from '../support/mnist';
import { describeWithData, sharedData } from '../support/shared-data';

const balls = 2000;
const epsilon = 0.01;
const secondsPerBall = 2;
const pixelRange = { mean: [0], std: [1], clip: [0, 1] as [number, number] };

describeWithData('mini-batches and balls one by one', () => {
  let engine: Engine;
  let set: BallSet;

  beforeAll(async () => {
    engine = await createEngine(readFileSync(sharedData('nets/mnist-net_256x2.onnx')), 'mnist-net_256x2.onnx');
    const { images, labels } = firstMnist(balls + 100);
    const predicted = await predict(engine, (i) => images[i], { length: images.length });
    const right = [...images.keys()].filter((i) => predicted[i] === labels[i]).slice(0, balls);
    set = {
      epsilon,
      labels: right.map((i) => labels[i]),
      box: (i) => ball(Float64Array.from(images[right[i]]), epsilon, pixelRange, engine.network.inputShape),
      centre: (i) => images[right[i]],
    };
  });
  afterAll(() => engine.release());

  test(`never contradict each other on ${balls} balls, and settle the same`, async () => {
    const ofMode = async (mode: 'single' | 'batch') => {
      const { state } = await settleSet(engine, set, { mode, secondsPerBall, bandit: emptyPosterior });
      return set.labels.map((_, i) => statusAt(state, i));
    };
    const [joint, alone] = [await ofMode('batch'), await ofMode('single')];
    const pairs = joint.map((status, i) => `${status}, alone ${alone[i]}`);
    const contradictions = pairs.filter((pair) => /^robust, alone not-robust|^not-robust, alone robust/.test(pair));
    expect(contradictions).toEqual([]);
    const settled = (list: readonly string[]): number => list.filter((status) => status !== 'unknown').length;
    expect(joint).toHaveLength(balls);
    // A loaded machine searches less in the seconds that a ball has; nearly all need no more than a fraction of them.
    expect(settled(joint)).toBeGreaterThan(0.98 * balls);
    expect(settled(alone)).toBeGreaterThan(0.98 * balls);
    expect([...new Set(joint)]).toEqual(expect.arrayContaining(['robust', 'not-robust']));
  });
});
