import path from 'node:path';
import { writeItemKeys } from '../../lib/audit/run-view';
import { reportJson } from '../../lib/report/json';
import type { BallVerdict } from '../../lib/report/record';
import { fileStorage } from '../../lib/storage/files';
import { sampleBalls, sampleReport, sampleRun } from '../report/sample';
import { baverly } from '../support/command';
import { temporaryFolder } from '../support/folder';

const root = temporaryFolder();
const place = (run: string) => path.join(root, 'runs', run);
const keys = [0, 1, 2, 3].map((input) => String(input).repeat(64));

/** A run whose balls are those of the sample but for the first, which is robust there. */
async function saved(run: string, modelHash: string, first: Partial<BallVerdict>): Promise<void> {
  const storage = fileStorage(root);
  const balls = sampleBalls.map((ball, i) => (i === 0 ? { ...ball, ...first } : ball));
  const report = sampleReport({ run: sampleRun({ id: run, modelHash }), balls });
  await storage.put(`runs/${run}/report.json`, reportJson(report));
  await writeItemKeys(storage, run, keys);
}

const broken = { verdict: 'not-robust', settledBy: 'attack', predicted: 1, witness: 'w.npy' } as const;

beforeAll(async () => {
  await saved('local', 'a'.repeat(64), {});
  await saved('again', 'a'.repeat(64), {});
  await saved('changed', 'b'.repeat(64), broken);
  await saved('impossible', 'a'.repeat(64), broken);
});

test('nothing changed: 0; the root of a run folder is its run', async () => {
  const { code, stdout, stderr } = await baverly(['diff', root, place('again')]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/^local of .* and again of .*: the same version of models\/digits\.onnx\n/);
  expect(stdout).toMatch(/8\/255 .* 4 .* 0 .* 0 .* 0 /);
});

test('something is broken: 1, with the balls, or all of it as JSON', async () => {
  const { code, stdout } = await baverly(['diff', place('again'), place('changed')]);
  expect(code).toBe(1);
  expect(stdout).toMatch(/newly broken .* 0 .* 7 .* 0\.01 .* robust .* not-robust/);
  const { stdout: none } = await baverly(['diff', place('again'), place('changed'), '--balls', '0']);
  expect(none).not.toContain('not-robust');
  const json = await baverly(['diff', place('again'), place('changed'), '--json']);
  expect(JSON.parse(json.stdout)).toMatchObject({
    exitCode: 1,
    sameModel: false,
    radii: [{ newlyBroken: 1 }, { newlyBroken: 0 }],
    contradictions: [],
  });
});

test('what cannot both be true of one model: 3', async () => {
  const { code, stdout } = await baverly(['diff', place('again'), place('impossible')]);
  expect(code).toBe(3);
  expect(stdout).toContain('robust: run again, input 0 at 8/255; not robust: run impossible, input 0 at 0.01');
});

test('runs that are not there: 2, with the problems of both', async () => {
  const { code, stderr } = await baverly(['diff', place('none'), path.join(root, 'nowhere')]);
  expect(code).toBe(2);
  expect(stderr).toContain('there is no runs/none/report.json in it');
  expect(stderr).toContain('there is no runs/local/report.json in it');
  expect((await baverly(['diff', root, place('again'), '--balls', '-1'])).code).toBe(2);
});
