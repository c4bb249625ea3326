import { attack, type Confirm } from '../../lib/attack/pgd';
import { replayOn } from '../../lib/attack/replay';
import { createBounder } from '../../lib/bounds/bounder';
import { createEngine, type Engine } from '../../lib/group/engine';
import { contains } from '../../lib/region/box';
import { misclassification, type Violation, violates } from '../../lib/region/violation';
import { randomBox } from '../support/balls';
import { randomConvNet, randomMlp } from '../support/models';

const options = { restarts: 5, steps: 30, pointsPerCall: 64 };

describe.each([
  ['fully connected', randomMlp([8, 20, 20, 5], 3)],
  ['convolutional', randomConvNet(4)],
])('attack on a %s net', (_, bytes) => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await createEngine(bytes, 'net');
  });
  afterAll(() => engine.release());

  const targetsOf = async (radius: number) => {
    const { network, original } = engine;
    return Promise.all(
      Array.from({ length: 8 }, async (_, seed) => {
        const box = randomBox(network.inputSize, radius, 50 + seed);
        const scores = await original.scores(
          Float32Array.from(box.lower, (low, i) => (low + box.upper[i]) / 2),
          1,
        );
        const label = scores.indexOf(Math.max(...scores));
        return { box, violation: misclassification(label, network.classes), seed };
      }),
    );
  };

  test('what it finds lies in the box and is misclassified by the original model', async () => {
    const targets = await targetsOf(1.5);
    const found = await attack(engine.bounder.programs, targets, replayOn(engine.original, targets), options);
    expect(found.filter(Boolean).length).toBeGreaterThan(2);
    for (const [i, witness] of found.entries()) {
      if (!witness) continue;
      expect(contains(targets[i].box, witness)).toBe(true);
      expect(violates(targets[i].violation, await engine.original.scores(witness, 1))).toBe(true);
    }
  });

  test('the same seeds find the same, whatever else is attacked', async () => {
    const targets = await targetsOf(1);
    const confirm = replayOn(engine.original, targets);
    const together = await attack(engine.bounder.programs, targets, confirm, options);
    const alone = await Promise.all(
      targets.map(
        async (target) =>
          (await attack(engine.bounder.programs, [target], replayOn(engine.original, [target]), options))[0],
      ),
    );
    expect(alone.map(Boolean)).toEqual(together.map(Boolean));
  });

  test('a point that the judge refuses is no counterexample', async () => {
    const targets = await targetsOf(1.5);
    const nothing: Confirm = async (indices) => indices.map(() => false);
    const found = await attack(engine.bounder.programs, targets, nothing, options);
    expect(found.every((witness) => witness === undefined)).toBe(true);
  });

  test('the deadline ends it, and a box without float32 points has no counterexample', async () => {
    const targets = await targetsOf(1.5);
    const late = { ...options, deadline: Date.now() - 1 };
    const confirm = replayOn(engine.original, targets);
    expect((await attack(engine.bounder.programs, targets, confirm, late)).some(Boolean)).toBe(false);
    const between = 1 + 2 ** -30;
    const empty = {
      ...targets[0],
      box: { lower: targets[0].box.lower.map(() => between), upper: targets[0].box.lower.map(() => between) },
    };
    expect(await attack(engine.bounder.programs, [empty], confirm, options)).toEqual([undefined]);
  });
});

describe('replay', () => {
  test('refuses points outside the box by one unit in the last place, and accepts ties', async () => {
    const engine = await createEngine(randomMlp([2, 4, 2], 1), 'net');
    const box = { lower: Float64Array.of(0, 0), upper: Float64Array.of(0.5, 0.5) };
    // Always violated: 0 . y + 0 >= 0 is a tie.
    const violation: Violation = [[{ coefficients: new Float64Array(2), offset: 0 }]];
    const confirm = replayOn(engine.original, [{ box, violation, seed: 0 }]);
    const outside = Math.fround(0.5 + 2 ** -24);
    expect(await confirm([0, 0, 0], Float32Array.of(0.5, 0.5, outside, 0, 0, -1e-45))).toEqual([true, false, false]);
    await engine.release();
  });
});

describe('a start that has no prospect', () => {
  const attackOf = async (bytes: Uint8Array, radius: number, count: number, patience?: number) => {
    let calls = 0;
    const engine = await createEngine(bytes, 'net');
    const { network, original } = engine;
    const bounder = createBounder(network, { observe: () => calls++ });
    const targets = await Promise.all(
      Array.from({ length: count }, async (_, seed) => {
        const box = randomBox(network.inputSize, radius, 900 + seed);
        const centre = Float32Array.from(box.lower, (low, i) => (low + box.upper[i]) / 2);
        const scores = await original.scores(centre, 1);
        return { box, violation: misclassification(scores.indexOf(Math.max(...scores)), network.classes), seed };
      }),
    );
    const found = await attack(bounder.programs, targets, replayOn(original, targets), {
      ...options,
      restarts: 3,
      ...(patience !== undefined && { patience }),
    });
    await bounder.release();
    await engine.release();
    return { found: found.filter(Boolean).length, calls };
  };
  const net = randomMlp([8, 20, 20, 5], 3);

  test('gives up after a few steps, and goes on to the end unless told to give up', async () => {
    // Far too small for any of these.
    expect(await attackOf(net, 1e-4, 4, 10)).toEqual({ found: 0, calls: 5 });
    expect(await attackOf(net, 1e-4, 4)).toEqual({ found: 0, calls: options.steps + 2 });
  });

  test('costs few witnesses where there are some', async () => {
    const [patient, impatient] = [await attackOf(net, 0.7, 150), await attackOf(net, 0.7, 150, 10)];
    expect(patient.found).toBeGreaterThan(30);
    expect(patient.found).toBeLessThan(145);
    expect(impatient.found).toBeGreaterThanOrEqual(0.97 * patient.found);
    expect(impatient.found).toBeLessThanOrEqual(patient.found);
  });
});
