import { existsSync, mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { requestKey } from '../../lib/pipeline/keys';
import { planRun } from '../../lib/pipeline/plan';
import { fileStorage } from '../../lib/storage/files';
import { baverly } from '../support/command';
import { fileIn, temporaryFolder } from '../support/folder';
import { requestRun, type TinySet, tinySet } from '../support/tiny-run';

const folder = temporaryFolder();
let set: TinySet;
let other: TinySet;
beforeAll(async () => {
  set = await tinySet();
  other = await tinySet({ seed: 92 });
});

/** A folder with a run that was interrupted after planning. */
async function plannedRun(name: string): Promise<string> {
  const out = path.join(folder, name);
  mkdirSync(out);
  const storage = fileStorage(out);
  await requestRun(storage, 'local', set);
  await planRun(storage, 'local');
  return out;
}

/** What the refusal says. No process can be started, so nothing was tried. */
async function refusal(...argv: string[]): Promise<string> {
  const { code, stdout, stderr } = await baverly(['resume', ...argv]);
  expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: '', stderr: expect.stringMatching(/^error: /) });
  expect(stderr).not.toMatch(/\n\s+at /);
  return stderr;
}

test('a folder that is not there, or holds no run', async () => {
  for (const none of [path.join(folder, 'nowhere'), folder]) {
    expect(await refusal(none)).toBe(
      `error: run folder ${none}\n  - holds no run: give the --out folder of \`npx baverly run\`\n`,
    );
  }
  expect(existsSync(path.join(folder, 'nowhere'))).toBe(false);
});

test('no folder', async () => {
  expect(await refusal()).toContain("missing required argument 'folder'");
});

test('a request that is damaged', async () => {
  const out = await plannedRun('damaged');
  fileIn(out, requestKey('local'), '{"version": 2}');
  const said = await refusal(out);
  expect(said).toContain('runs/local/request.json');
  expect(said).toContain('version: ');
});

test('a run of another model than the one given', async () => {
  const out = await plannedRun('given');
  const file = fileIn(folder, 'other.onnx', other.model);
  expect(await refusal(out, '--model', file)).toContain(
    `the run is about another model (models/tiny.onnx) than ${file}: leave --model out, or start a new run`,
  );
  expect(await refusal(out, '--model', 'none.onnx')).toContain('model none.onnx: there is no such file');
});

test('a run whose model was replaced', async () => {
  const out = await plannedRun('replaced');
  await fileStorage(out).put('models/tiny.onnx', other.model);
  expect(await refusal(out)).toContain(
    'models/tiny.onnx in it is not the model that the run was planned with: start a new run',
  );
});

test('a run whose data set was replaced, and whose model is gone: both are told', async () => {
  const out = await plannedRun('data');
  await requestRun(fileStorage(out), 'local', { ...set, labels: set.labels.map((label) => 2 - label) });
  rmSync(path.join(out, 'models', 'tiny.onnx'));
  const said = await refusal(out);
  expect(said).toContain('datasets/tiny in it is not the data set that the run was planned with: start a new run');
  expect(said).toMatch(/model of the run .*tiny\.onnx: there is no such file/);
});

test.each([
  ['--workers', '0'],
  ['--memory', '-1'],
  ['--fail-below', '2'],
])('%s %s', async (option, value) => {
  expect(await refusal(folder, option, value)).toContain(`argument '${value}' is invalid`);
});
