import { existsSync } from 'node:fs';
import path from 'node:path';
import { builtCommand } from '../support/command';
import { temporaryFolder } from '../support/folder';
import { ballsOf, childrenOf, digits, reportIn, roundIn, startCommand, until, verdictsOf } from './processes';

const { main } = builtCommand();
const folder = temporaryFolder();
const asked = ['--model', path.join(digits, 'fc.onnx'), '--data', path.join(digits, 'digits-test.npz')];
const run = ['run', ...asked, '--epsilon', '0.01,0.03', '--first', '300', '--seed', '7', '--workers', '2', '--out'];

let whole: string[];
beforeAll(async () => {
  const out = path.join(folder, 'whole');
  const ended = await startCommand(main, [...run, out]).ended;
  expect(ended).toMatchObject({ code: 0, stdout: expect.stringContaining('300 inputs') });
  const { balls } = reportIn(out);
  expect(balls.map(({ index, epsilon }) => `${index} ${epsilon}`)).toEqual(ballsOf(300, ['0.01', '0.03']));
  whole = verdictsOf(reportIn(out));
});

test.each(['SIGINT', 'SIGTERM'] as const)(
  '%s in the middle: nothing is lost, and resume finishes the run',
  async (signal) => {
    const out = path.join(folder, signal);
    const first = startCommand(main, [...run, out]);
    await until(() => roundIn(out, 0).results >= 3, 'results of the first round');
    const workers = childrenOf(first.pid);
    expect(workers.length).toBeGreaterThan(0);
    first.kill(signal);
    const { code, stderr } = await first.ended;
    expect(code).toBe(3);
    expect(stderr).toMatch(
      /Interrupted; nothing that was settled is lost: what .* is counted when it is resumed\. Go on with: npx baverly resume \S+\n$/,
    );
    expect(stderr).not.toMatch(/\n\s+at /);
    await until(() => workers.every((pid) => !existsSync(`/proc/${pid}`)), 'the end of the workers');
    expect(reportIn(out).status).toBe('incomplete');
    const before = roundIn(out, 0).results;

    const [, advised] = /npx baverly resume (\S+)/.exec(stderr)!;
    const second = await startCommand(main, ['resume', path.resolve(advised), '--workers', '2', '--json']).ended;
    expect(second.code).toBe(0);
    expect(JSON.parse(second.stdout)).toMatchObject({ status: 'done', missing: 0 });
    expect(roundIn(out, 0).results).toBeGreaterThanOrEqual(before);
    expect(verdictsOf(reportIn(out))).toEqual(whole);
  },
);

test('interrupted again and again, before and after planning, the run still ends with the same verdicts', async () => {
  const out = path.join(folder, 'often');
  const first = startCommand(main, [...run, out]);
  await until(() => existsSync(path.join(out, 'runs/local/request.json')), 'the request');
  first.kill('SIGINT');
  expect(await first.ended).toMatchObject({ code: 3, stderr: expect.stringContaining('npx baverly resume') });
  for (let round = 0; round < 2; round++) {
    const next = startCommand(main, ['resume', out, '--workers', '2', '--json']);
    await until(() => roundIn(out, round).results > 0 || !next.running(), `results of round ${round}`);
    next.kill('SIGINT');
    const { code, stdout } = await next.ended;
    expect(code).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({ exitCode: 3, status: 'incomplete' });
  }
  expect((await startCommand(main, ['resume', out, '--workers', '2']).ended).code).toBe(0);
  expect(verdictsOf(reportIn(out))).toEqual(whole);
});

test('killed outright, the run goes on by resume', async () => {
  const out = path.join(folder, 'killed');
  const first = startCommand(main, [...run, out]);
  await until(() => roundIn(out, 0).results >= 3, 'results of the first round');
  first.kill('SIGKILL');
  expect((await first.ended).code).toBeNull();
  expect((await startCommand(main, ['resume', out, '--workers', '2']).ended).code).toBe(0);
  expect(verdictsOf(reportIn(out))).toEqual(whole);
});
