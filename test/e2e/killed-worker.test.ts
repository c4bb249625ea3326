import { existsSync } from 'node:fs';
import path from 'node:path';
import { builtCommand } from '../support/command';
import { temporaryFolder } from '../support/folder';
import { ballsOf, childrenOf, digits, reportIn, roundIn, startCommand, until } from './processes';

const { main } = builtCommand();
const folder = temporaryFolder();
const asked = ['--model', path.join(digits, 'fc.onnx'), '--data', path.join(digits, 'digits-test.npz')];
const run = ['run', ...asked, '--epsilon', '0.01,0.03', '--first', '300', '--workers', '2', '--out'];

test('workers killed in the middle of a run lose no ball, and no verdict changes', async () => {
  const calm = path.join(folder, 'calm');
  expect((await startCommand(main, [...run, calm]).ended).code).toBe(0);

  const out = path.join(folder, 'killed');
  const started = startCommand(main, [...run, out]);
  const killed: number[] = [];
  for (const results of [1, 4, 8]) {
    // With more mini-batches left than workers, every worker has one.
    await until(() => !started.running() || roundIn(out, 0).results >= results, `${results} results`);
    const { planned, results: had } = roundIn(out, 0);
    expect(planned - had).toBeGreaterThan(3);
    for (const pid of childrenOf(started.pid)) {
      process.kill(pid, 'SIGKILL');
      killed.push(pid);
    }
  }
  const { code, stdout } = await started.ended;
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining('300 inputs') });

  const report = reportIn(out);
  expect(report.status).toBe('done');
  expect(report.balls.map(({ index, epsilon }) => `${index} ${epsilon}`)).toEqual(ballsOf(300, ['0.01', '0.03']));
  const failed = report.batches.filter(({ error }) => error !== undefined);
  expect(failed.length).toBeGreaterThan(0);
  expect(failed.length).toBeLessThanOrEqual(killed.length);
  for (const { error, round } of failed) {
    expect(round).toBe(0);
    expect(error).toBe('Lambda.Unknown: the process of the function was ended by signal SIGKILL');
  }
  expect(report.cpuSeconds).toBeLessThan(2 * report.wallSeconds);
  const calmBalls = reportIn(calm).balls;
  const contradictions = report.balls.filter(({ verdict }, i) => {
    return verdict !== calmBalls[i].verdict && verdict !== 'unknown' && calmBalls[i].verdict !== 'unknown';
  });
  expect(contradictions).toEqual([]);
  expect(report.balls.filter(({ reason }) => reason === 'crash')).toEqual([]);
});

test('planning is tried once more when its process is killed; then the run ends, and resume finishes it', async () => {
  const out = path.join(folder, 'planning');
  const started = startCommand(main, [...run, out, '--json']);
  const killed = new Set<number>();
  for (const which of ['a worker', 'another worker']) {
    const alive = () => childrenOf(started.pid).filter((pid) => !killed.has(pid));
    await until(() => alive().length > 0, which);
    for (const pid of alive()) {
      killed.add(pid);
      process.kill(pid, 'SIGKILL');
    }
  }
  const { code, stdout, stderr } = await started.ended;
  expect({ code, ...JSON.parse(stdout) }).toMatchObject({ code: 3, status: 'failed', error: 'Lambda.Unknown' });
  expect(stderr).toMatch(
    /^error: the run failed \(Lambda\.Unknown\)\n {2}- the process of the function was ended by signal SIGKILL\nGo on with: /,
  );
  const resumed = await startCommand(main, ['resume', out, '--json']).ended;
  expect({ code: resumed.code, ...JSON.parse(resumed.stdout) }).toMatchObject({ code: 0, status: 'done', missing: 0 });
  expect(existsSync(path.join(out, 'runs/local/failure.json'))).toBe(false);
});
