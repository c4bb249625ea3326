import { readFileSync } from 'node:fs';
import path from 'node:path';
import { modelHash } from '../../lib/network/hash';
import { type Posterior, posteriorSchema } from '../../lib/schedule/bandit';
import { decodeState } from '../../lib/schedule/state-file';
import { baverly, builtCommand } from '../support/command';
import { fileIn, temporaryFolder } from '../support/folder';
import { csvOf, tinySet } from '../support/tiny-run';

const { worker } = builtCommand();
const folder = temporaryFolder();

function pullsOf(posterior: Posterior, key: string): number {
  return Object.values(posterior.keys[key]?.arms ?? {}).reduce((sum, pulls) => sum + pulls.length, 0);
}

test('a second run of a model begins with what the first has learned, and is another time the prior of the next', async () => {
  const set = await tinySet();
  const model = fileIn(folder, 'tiny.onnx', set.model);
  const data = fileIn(folder, 'tiny.csv', csvOf(set));
  const kept = path.join(folder, '.baverly', 'learned', `${modelHash(set.model)}.json`);
  const learned = (): Posterior => posteriorSchema.parse(JSON.parse(readFileSync(kept, 'utf8')));
  const run = async (name: string) => {
    const out = path.join(folder, name);
    const { code } = await baverly(
      ['run', '--model', model, '--data', data, '--epsilon', '0.02', '--out', out],
      worker,
    );
    expect(code).toBe(0);
    return decodeState(readFileSync(path.join(out, 'runs/local/state/0.bin'))).bandit;
  };
  expect(pullsOf(await run('one'), '0.02')).toBe(0);
  const afterOne = learned();
  expect(pullsOf(afterOne, '0.02')).toBeGreaterThan(0);
  expect(await run('two')).toEqual(afterOne);
  expect(pullsOf(learned(), '0.02')).toBeGreaterThan(pullsOf(afterOne, '0.02'));
});
