import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseNpy } from '../../lib/dataset/npy';
import { fileIn, temporaryFolder } from '../support/folder';
import { scoresBy } from '../support/property';
import { ballsOf, digits, reportIn } from './processes';

const root = path.join(__dirname, '../..');
const folder = temporaryFolder();

/** Runs `npx baverly` as it is installed. */
function npx(...argv: string[]) {
  const begun = Date.now();
  const bin = path.join(root, 'bin/baverly.cjs');
  const { status, stdout, stderr } = spawnSync(process.execPath, [bin, ...argv], { cwd: folder, encoding: 'utf8' });
  return { status, stdout, stderr, seconds: (Date.now() - begun) / 1000 };
}

test('the example of the README, from the command to the report, in less than a minute', async () => {
  const out = path.join(folder, 'example');
  const model = path.join(digits, 'fc.onnx');
  const asked = ['--model', model, '--data', path.join(digits, 'digits-test.npz'), '--epsilon', '0.02,0.04'];
  const { status, stdout, stderr, seconds } = npx('run', ...asked, '--first', '200', '--out', out);
  expect({ status, stderr }).toEqual({ status: 0, stderr: expect.not.stringContaining('error') });
  expect(seconds).toBeLessThan(60);
  expect(stdout).toContain(`Report: ${path.join('example', 'report.html')}`);

  const report = reportIn(out);
  expect(report.balls.map(({ index, epsilon }) => `${index} ${epsilon}`)).toEqual(ballsOf(200, ['0.02', '0.04']));
  const rows = readFileSync(path.join(out, 'report.csv'), 'utf8').trim().split('\n');
  expect(rows).toHaveLength(401);
  expect(readFileSync(path.join(out, 'report.html'), 'utf8')).toContain('</html>');

  const refuted = report.balls.filter(({ verdict }) => verdict === 'not-robust');
  expect(refuted.length).toBeGreaterThan(0);
  const bytes = readFileSync(model);
  for (const { label, predicted, witness } of refuted.slice(0, 10)) {
    const { values } = parseNpy(readFileSync(path.join(out, witness!)), witness!);
    const scores = await scoresBy(bytes, [...values]);
    expect(scores.indexOf(Math.max(...scores))).toBe(predicted);
    expect(predicted).not.toBe(label);
  }
});

test('without --out the run has a folder of its own', () => {
  const set = ['--model', path.join(digits, 'fc.onnx'), '--data', path.join(digits, 'digits-test.npz')];
  const { status, stdout } = npx('run', ...set, '--epsilon', '0.01', '--first', '20', '--workers', '1', '--json');
  expect(status).toBe(0);
  expect(JSON.parse(stdout).folder).toMatch(/baverly-runs\/fc-\d{8}-\d{6}$/);
});

test('bad input ends with exit code 2 and no stack trace', () => {
  const model = fileIn(folder, 'bad.onnx', 'no model');
  const { status, stdout, stderr } = npx('run', '--model', model, '--data', 'none.npz', '--epsilon', 'x');
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr.match(/^ {2}- /gm)).toHaveLength(3);
  expect(stderr).not.toMatch(/\n\s+at /);
});
