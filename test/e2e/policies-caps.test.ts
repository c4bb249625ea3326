import path from 'node:path';
import { builtCommand } from '../support/command';
import { temporaryFolder } from '../support/folder';
import { digits, reportIn, startCommand } from './processes';

const { main } = builtCommand();
const folder = temporaryFolder();

test('a cap of time ends searches that have minutes of their own, and a larger one goes on with them', async () => {
  const out = path.join(folder, 'capped');
  const asked = ['--model', path.join(digits, 'conv.onnx'), '--data', path.join(digits, 'digits-test.npz')];
  const run = ['run', ...asked, '--epsilon', '0.07', '--first', '60', '--time-per-ball', '60', '--workers', '2'];
  const begun = Date.now();
  const stopped = await startCommand(main, [...run, '--max-minutes', '0.1', '--out', out]).ended;
  // Six seconds, and what starting, planning and reporting take on a busy machine.
  expect(Date.now() - begun).toBeLessThan(20_000);
  expect(stopped).toMatchObject({ code: 3, stderr: expect.stringContaining('npx baverly resume') });
  const before = reportIn(out);
  const left = before.balls.filter(({ verdict }) => verdict === 'unknown');
  expect(new Set(left.map(({ reason }) => reason))).toEqual(new Set(['budget']));
  expect(before.wallSeconds).toBeLessThan(8);

  const resumed = await startCommand(main, ['resume', out, '--workers', '2', '--max-minutes', '0.15']).ended;
  expect([0, 3]).toContain(resumed.code);
  const after = reportIn(out);
  const settled = ({ balls }: typeof after): number => balls.filter(({ verdict }) => verdict !== 'unknown').length;
  expect(settled(after)).toBeGreaterThan(settled(before));
});
