import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import type { Report } from '../../lib/report/record';
import { builtCommand } from '../support/command';
import { temporaryFolder } from '../support/folder';
import { digits, reportIn, startCommand } from './processes';

const { main } = builtCommand();
const folder = temporaryFolder();
const asked = ['--model', path.join(digits, 'fc.onnx'), '--data', path.join(digits, 'digits-test.npz')];
const run = ['run', ...asked, '--epsilon', '0.06', '--first', '60', '--seed', '7', '--workers', '2'];

async function reportOf(name: string, seconds: string): Promise<Report> {
  const out = path.join(folder, name);
  const { code, stderr } = await startCommand(main, [...run, '--time-per-ball', seconds, '--out', out]).ended;
  if (code !== 0) throw new Error(stderr);
  return reportIn(out);
}

test('with hardly any time per attempt, searches go on from checkpoints, and nothing contradicts a run with time', async () => {
  const [hurried, patient] = [await reportOf('hurried', '0.06'), await reportOf('patient', '10')];
  const checkpoints = path.join(folder, 'hurried/runs/local/rounds/checkpoints');
  const names = existsSync(checkpoints) ? readdirSync(checkpoints) : [];
  expect(names.length).toBeGreaterThan(2);
  const truth = new Map(patient.balls.map(({ index, verdict }) => [index, verdict]));
  const differing = hurried.balls.filter(({ index, verdict }) => verdict !== 'unknown' && verdict !== truth.get(index));
  expect(differing).toEqual([]);
  // Some that one attempt did not settle, a later one did.
  const continued = new Set(names.map((name) => Number(name.slice(name.indexOf('-') + 1, -'.bin'.length))));
  const settled = hurried.balls.filter(({ index, verdict }) => continued.has(index) && verdict !== 'unknown');
  expect(settled.length).toBeGreaterThan(0);
});
