import path from 'node:path';
import type { Estimate } from '../../lib/estimate/estimate';
import { baverly, builtCommand } from '../support/command';
import { temporaryFolder } from '../support/folder';
import { digits, reportIn } from './processes';

const { worker } = builtCommand();
const folder = temporaryFolder();
const asked = [
  ...['--model', path.join(digits, 'conv.onnx'), '--data', path.join(digits, 'digits-test.npz')],
  ...['--epsilon', '0.02', '--first', '600', '--workers', '2'],
];

test('an estimate from a fifth of the inputs, and what the run then is', async () => {
  const estimated = await baverly(['estimate', ...asked, '--sample', '120', '--json'], worker);
  expect({ code: estimated.code, stderr: estimated.stderr }).toEqual({ code: 0, stderr: '' });
  const estimate = JSON.parse(estimated.stdout) as Estimate;
  expect(estimate).toMatchObject({ inputs: 600, balls: 600, pool: 600 });
  expect(estimate.sampled).toBeLessThan(200);

  const out = path.join(folder, 'run');
  expect((await baverly(['run', ...asked, '--out', out], worker)).code).toBe(0);
  const report = reportIn(out);
  const [{ robust, notRobust, misclassified }] = report.radii;
  expect(estimate.misclassified).toBe(misclassified);
  const [share] = estimate.radii;
  // Sampling error of a fifth of 600 inputs, three times.
  expect(Math.abs(share.robust.value - robust / 600)).toBeLessThan(0.12);
  expect(Math.abs(share.notRobust.value - notRobust / 600)).toBeLessThan(0.12);
  // Clocks of a shared machine differ by more than the sample.
  expect(estimate.usd.value / report.cost!.usd).toBeGreaterThan(0.5);
  expect(estimate.usd.value / report.cost!.usd).toBeLessThan(2);
});

test('for people it is a table; what cannot be used is told as by run', async () => {
  const { code, stdout } = await baverly(['estimate', ...asked, '--sample', '30'], worker);
  expect(code).toBe(0);
  for (const text of ['CPU', 'AWS', 'stays open at 0.02', 'us-east-1']) expect(stdout).toContain(text);
  const refused = await baverly(['estimate', '--model', 'none.onnx', '--epsilon', 'x']);
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain('required option --data is missing');
});

test('a run stops at its cap of money and goes on with a larger one', async () => {
  const out = path.join(folder, 'capped');
  const stopped = await baverly(['run', ...asked, '--out', out, '--max-usd', '0.0004'], worker);
  expect(stopped.code).toBe(3);
  expect(stopped.stdout).toContain('the run stopped at its cap of $0.0004');
  const { reason } = reportIn(out).balls.find(({ verdict }) => verdict === 'unknown')!;
  expect(reason).toBe('budget');
  const ended = await baverly(['resume', out, '--max-usd', '1'], worker);
  expect({ code: ended.code, status: reportIn(out).status }).toEqual({ code: 0, status: 'done' });
  expect(reportIn(out).balls.filter((ball) => ball.reason === 'budget')).toEqual([]);
});
