import { readFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';
import { createEngine, type Engine } from '../../lib/group/engine';
import { settleProperties } from '../../lib/group/property';
import { contains } from '../../lib/region/box';
import { violates } from '../../lib/region/violation';
import { readVnnlib } from '../../lib/region/vnnlib';
import { baverly } from '../support/command';
import { scoresBy, witnessOf } from '../support/property';
import { describeWithData, sharedData } from '../support/shared-data';

interface Published {
  readonly benchmark: string;
  readonly network: string;
  readonly property: string;
  readonly verdict: 'sat' | 'unsat' | 'unknown';
}

const secondsEach = 5;

describeWithData('the VNN-COMP 2022 properties of which a verdict is published', () => {
  const published: Published[] = parse(readFileSync(sharedData('vnnlib/verdicts.csv')), { columns: true });
  const engines = new Map<string, Engine>();
  const fileOf = ({ benchmark, property }: Published) => sharedData(`vnnlib/${benchmark}/${property}.gz`);

  async function engineOf(network: string): Promise<Engine> {
    const known = engines.get(network);
    if (known) return known;
    const engine = await createEngine(readFileSync(sharedData(`nets/${network}`)), network);
    engines.set(network, engine);
    return engine;
  }

  afterAll(async () => {
    for (const engine of engines.values()) await engine.release();
  });

  test.each([
    { benchmark: 'mnist_fc', count: 60, fewest: 25 },
    { benchmark: 'oval21', count: 10, fewest: 0 },
  ])('$benchmark: no answer contradicts a published one', async ({ benchmark, count, fewest }) => {
    const instances = published.filter((instance) => instance.benchmark === benchmark);
    expect(instances).toHaveLength(count);
    const counts: Record<string, number> = {};
    const contradictions: string[] = [];
    for (const instance of instances) {
      const engine = await engineOf(instance.network);
      const properties = readVnnlib(readFileSync(fileOf(instance)), instance.property);
      const begun = Date.now();
      const answer = await settleProperties(engine, properties, { deadline: begun + 1000 * secondsEach, seed: 0 });
      expect((Date.now() - begun) / 1000).toBeLessThan(3 * secondsEach);
      counts[answer.kind] = (counts[answer.kind] ?? 0) + 1;
      const isOther = (answer.kind === 'sat' || answer.kind === 'unsat') && answer.kind !== instance.verdict;
      if (isOther && instance.verdict !== 'unknown') {
        contradictions.push(`${instance.network} ${instance.property}: ${answer.kind}, published ${instance.verdict}`);
      }
      if (answer.kind !== 'sat') continue;
      // Whatever was published, a witness has to stand by itself.
      const scores = await engine.original.scores(answer.witness, 1);
      expect(
        properties.some(({ box, violation }) => contains(box, answer.witness) && violates(violation, scores)),
      ).toBe(true);
    }
    console.log(`${benchmark}, ${secondsEach} s each: ${JSON.stringify(counts)}`);
    expect(contradictions).toEqual([]);
    expect((counts.sat ?? 0) + (counts.unsat ?? 0)).toBeGreaterThanOrEqual(fewest);
  });

  test('an answer of the command has the published form, for a network without batch dimension', async () => {
    const isSat = ({ benchmark, verdict }: Published) => benchmark === 'mnist_fc' && verdict === 'sat';
    const instance = published.find(isSat)!;
    const net = sharedData(`nets/${instance.network}`);
    const { code, stdout } = await baverly(['vnncomp', net, fileOf(instance), '--timeout', '60']);
    expect(code).toBe(0);
    const { inputs, outputs } = witnessOf(stdout);
    expect([inputs.length, outputs.length]).toEqual([784, 10]);
    const [{ box, violation }] = readVnnlib(readFileSync(fileOf(instance)), instance.property);
    expect(contains(box, Float32Array.from(inputs))).toBe(true);
    const scores = await scoresBy(readFileSync(net), inputs);
    for (const [k, y] of outputs.entries()) expect(y).toBeCloseTo(scores[k], 4);
    expect(violates(violation, scores)).toBe(true);
  });
});
