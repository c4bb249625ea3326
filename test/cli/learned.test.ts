import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { keepLearned, takeLearned } from '../../lib/cli/learned';
import { modelHash } from '../../lib/network/hash';
import { temporaryFolder } from '../support/folder';

describe('what cannot be shared', () => {
  const place = temporaryFolder();
  const other = temporaryFolder();
  const model = new Uint8Array([1, 2, 3]);
  const inside = (run: string): string => path.join(place, run, 'learned', `${modelHash(model)}.json`);

  test('nothing is taken where nothing was kept, or of another model', async () => {
    await takeLearned(path.join(place, 'a'), model);
    expect(existsSync(inside('a'))).toBe(false);
    mkdirSync(path.join(place, 'a', 'learned'), { recursive: true });
    writeFileSync(inside('a'), 'what was learned');
    await keepLearned(path.join(place, 'a'));
    await takeLearned(path.join(place, 'b'), new Uint8Array([4]));
    expect(existsSync(path.join(place, 'b'))).toBe(false);
    await takeLearned(path.join(place, 'b'), model);
    expect(readFileSync(inside('b'), 'utf8')).toBe('what was learned');
  });

  test('a place that cannot be written stops no run', async () => {
    writeFileSync(path.join(other, '.baverly'), 'a file of the user');
    const run = path.join(other, 'run');
    mkdirSync(path.join(run, 'learned'), { recursive: true });
    writeFileSync(path.join(run, 'learned', 'x.json'), '{}');
    await keepLearned(run);
    await takeLearned(run, model);
    expect(readdirSync(other).sort()).toEqual(['.baverly', 'run']);
    expect(readFileSync(path.join(other, '.baverly'), 'utf8')).toBe('a file of the user');
  });
});
