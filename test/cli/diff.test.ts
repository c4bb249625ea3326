import path from 'node:path';
import { fileStorage } from '../../lib/storage/files';
import { policyRun } from '../audit/policy-run';
import { baverly } from '../support/command';
import { temporaryFolder } from '../support/folder';
import { type TinySet, tinySet } from '../support/tiny-run';

const root = temporaryFolder();
const place = (run: string) => path.join(root, 'runs', run);
let set: TinySet;

beforeAll(async () => {
  set = await tinySet({ count: 40 });
  const storage = fileStorage(root);
  const epsilons = [{ text: '0.05', value: 0.05 }];
  await policyRun(storage, 'local', set, {}, { epsilons });
  await policyRun(storage, 'again', set, {}, { epsilons });
  const { model } = await tinySet({ seed: 5, count: 1 });
  await policyRun(storage, 'changed', { ...set, model }, {}, { epsilons, acceptLowAccuracy: true });
});

test('nothing changed: 0; the root of a run folder is its run', async () => {
  const { code, stdout, stderr } = await baverly(['diff', root, place('again')]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/^local of .* and again of .*: the same version of models\/tiny\.onnx\n/);
  expect(stdout).toMatch(/0\.05 .* 40 .* 0 .* 0 .* 0 /);
});

test('something is broken: 1, with the balls, or all of it as JSON', async () => {
  const { code, stdout } = await baverly(['diff', place('again'), place('changed'), '--balls', '3']);
  expect(code).toBe(1);
  expect(stdout).toContain('newly broken');
  expect(stdout).toMatch(/and \d+ more changed balls? \(--balls, --json\)/);
  const json = JSON.parse((await baverly(['diff', place('again'), place('changed'), '--json'])).stdout);
  expect(json).toMatchObject({ exitCode: 1, sameModel: false, contradictions: [] });
  expect(json.radii[0].newlyBroken).toBeGreaterThan(0);
});

test('runs that are not there: 2, with the problems of both', async () => {
  const { code, stderr } = await baverly(['diff', place('none'), path.join(root, 'nowhere')]);
  expect(code).toBe(2);
  expect(stderr).toContain('runs/none/report.json');
  expect(stderr).toContain('runs/local/report.json');
});
