import { createBounder } from '../../lib/bounds/bounder';
import { marginRows } from '../../lib/bounds/margin';
import { createEngine } from '../../lib/group/engine';
import { evaluate } from '../../lib/network/evaluate';
import { misclassification } from '../../lib/region/violation';
import { pointsOf, randomBox } from '../support/balls';
import { randomConvNet, randomMlp, randomResidualNet } from '../support/models';

const nets: [string, Uint8Array][] = [
  ['fully connected', randomMlp([6, 12, 10, 8, 4], 11)],
  ['convolutional', randomConvNet(12)],
  ['residual', randomResidualNet(13)],
];

test.each(nets)(
  'optimised slopes of a %s net: sound, never below CROWN, and better the more steps',
  async (_, bytes) => {
    const engine = await createEngine(bytes, 'net');
    const { network } = engine;
    const crown = createBounder(network, { stages: false });
    const rows = marginRows(misclassification(0, network.classes));
    let [crossed, lost, raised, fewer] = [0, 0, 0, 0];
    for (let seed = 0; seed < 6; seed++) {
      const box = randomBox(network.inputSize, 0.3, seed);
      const [{ rows: before }] = await crown.bound([{ box, rows }]);
      const [one, twenty] = [await engine.searcher.slopes(box, rows, 1), await engine.searcher.slopes(box, rows, 20)];
      for (const [k, { coefficients }] of rows.entries()) {
        for (const x of pointsOf(box, 40, seed)) {
          const value = evaluate(network, x)[network.output].reduce(
            (sum, score, c) => sum + coefficients[c] * score,
            0,
          );
          if (value < twenty[k]) crossed++;
        }
        const band = 1e-3 * (1 + Math.abs(before[k]));
        if (one[k] < before[k] - band) lost++;
        if (twenty[k] < one[k]) fewer++;
        if (twenty[k] > before[k] + band) raised++;
      }
    }
    expect({ crossed, lost, fewer }).toEqual({ crossed: 0, lost: 0, fewer: 0 });
    expect(raised).toBeGreaterThan(0);
    await crown.release();
    await engine.release();
  },
);

test('they are a fixed amount of work: asked again, the same bounds', async () => {
  const engine = await createEngine(randomMlp([6, 12, 10, 8, 4], 11), 'net');
  const rows = marginRows(misclassification(0, 4));
  const box = randomBox(6, 0.3, 1);
  expect(await engine.searcher.slopes(box, rows, 20)).toEqual(await engine.searcher.slopes(box, rows, 20));
  expect(await engine.searcher.slopes(box, [], 20)).toEqual([]);
  await engine.release();
});
