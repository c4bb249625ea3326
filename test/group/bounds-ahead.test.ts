import { type Bounder, createBounder } from '../../lib/bounds/bounder';
import { boundsAhead } from '../../lib/group/bounds-ahead';
import type { Engine } from '../../lib/group/engine';
import type { Member } from '../../lib/group/member';
import { readNetwork } from '../../lib/network/read';
import { misclassification } from '../../lib/region/violation';
import { randomBox } from '../support/balls';
import { randomConvNet, randomMlp } from '../support/models';

/** Of an engine only its bounder is asked. */
function engineOf(bounder: Bounder): Engine {
  return { bounder } as Engine;
}

const nets: readonly (readonly [string, Uint8Array])[] = [
  ['a dense net', randomMlp([20, 30, 24, 16, 4], 3)],
  ['a convolutional net', randomConvNet(5)],
];

describe.each(nets)('bounds of %s made ahead', (_, bytes) => {
  const { network } = readNetwork(bytes);
  const calls: number[] = [];
  const inner = createBounder(network);
  const bounder: Bounder = {
    ...inner,
    preActivationsOf(boxes) {
      calls.push(boxes.length);
      return inner.preActivationsOf(boxes);
    },
  };
  afterAll(() => inner.release());
  const members = Array.from({ length: 7 }, (_, i) => randomBox(network.inputSize, 0.05, i)).map(
    (box, seed): Member => ({ box, violation: misclassification(0, network.classes), seed }),
  );

  test('each member gets its own, as alone but for rounding, in one call that all pay for', async () => {
    calls.length = 0;
    const charged: (readonly number[])[] = [];
    const order = [5, 0, 3, 6];
    const ahead = boundsAhead(engineOf(bounder), members, order, (among, work) => {
      charged.push(among);
      return work();
    });
    let worst = 0;
    for (const member of order) {
      const found = await ahead.take(member);
      const alone = await inner.preActivations(members[member].box);
      expect(found).toHaveLength(alone.length);
      for (const [k, { lower, upper }] of alone.entries()) {
        expect(found[k].lower).toHaveLength(lower.length);
        for (let j = 0; j < lower.length; j++) {
          worst = Math.max(worst, Math.abs(found[k].lower[j] - lower[j]), Math.abs(found[k].upper[j] - upper[j]));
        }
      }
    }
    expect(worst).toBeLessThan(1e-4);
    expect(calls).toEqual([4]);
    expect(charged).toEqual([order]);
  });

  test('those that go on at the same time wait for the same call', async () => {
    calls.length = 0;
    const order = [1, 2, 4];
    const ahead = boundsAhead(engineOf(bounder), members, order, (_, work) => work());
    const found = await Promise.all(order.map((member) => ahead.take(member)));
    expect(new Set(found).size).toBe(3);
    expect(calls).toEqual([3]);
  });

  test('as many as the bounder takes at once', async () => {
    calls.length = 0;
    const narrow = { ...bounder, programs: { ...bounder.programs, ballsPerCall: 3 } };
    const order = [...members.keys()];
    const ahead = boundsAhead(engineOf(narrow), members, order, (_, work) => work());
    for (const member of order) await ahead.take(member);
    expect(calls).toEqual([3, 3, 1]);
  });
});

test('a failure is that of whoever asks, and of nobody who does not', async () => {
  const { network } = readNetwork(randomMlp([4, 6, 3], 1));
  const inner = createBounder(network);
  const failing: Bounder = { ...inner, preActivationsOf: () => Promise.reject(new Error('no bounds')) };
  const members = [0, 1, 2]
    .map((i) => randomBox(4, 0.1, i))
    .map((box): Member => ({ box, violation: misclassification(0, 3), seed: 0 }));
  const ahead = boundsAhead(engineOf(failing), members, [0, 1, 2], (_, work) => work());
  await expect(ahead.take(0)).rejects.toThrow('no bounds');
  await expect(ahead.take(1)).rejects.toThrow('no bounds');
  await inner.release();
});
