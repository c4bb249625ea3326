import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { baverly, builtCommand } from '../support/command';
import { fileIn, temporaryFolder } from '../support/folder';
import { vnnlib } from '../support/property';
import { csvOf, type TinySet, tinySet } from '../support/tiny-run';

const { worker } = builtCommand();
const folder = temporaryFolder();
const out = path.join(folder, 'run');
let set: TinySet;
let given: string[];
beforeAll(async () => {
  set = await tinySet({ count: 30 });
  const model = fileIn(folder, 'tiny.onnx', set.model);
  const data = fileIn(folder, 'tiny.csv', csvOf(set));
  given = ['--model', model, '--data', data, '--epsilon', '0.02', '--workers', '1', '--out', out];
});

/** Lines without the time of day that each begins with. */
const linesOf = (stderr: string): string[] =>
  stderr
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/^\d\d:\d\d:\d\d\.\d{3} /, ''));

test('a run tells on stderr what happens, beside JSON on stdout', async () => {
  const { code, stdout, stderr } = await baverly(['run', ...given, '--verbose', '--json'], worker);
  const lines = linesOf(stderr);
  expect(code).toBe(0);
  expect(lines.filter((line) => !/; [\d.]+ s, [\d.]+ s of CPU$/.test(line))).toEqual([]);
  expect(lines[0]).toMatch(/^plan: round 0 of \d+ mini-batches is planned; /);
  expect(lines[1]).toMatch(/^mini-batch 0-0 \(first, attempt 1; \d+ balls? of label \d at radius 1\): /);
  expect(lines.at(-1)).toMatch(/^report: the report says done; /);
  // What is told of mini-batches is what the report counts.
  const told = (verdict: string): number =>
    lines.reduce((sum, line) => sum + Number(new RegExp(`[ (](\\d+) ${verdict}`).exec(line)?.[1] ?? 0), 0);
  const [radius] = JSON.parse(stdout).radii;
  expect({ robust: told('robust'), notRobust: told('not robust') }).toEqual({
    robust: radius.robust,
    notRobust: radius.notRobust,
  });
});

test('a run that fails says why on stderr, in one line of --verbose, in failure.json and in its report', async () => {
  // What was planned is damaged: planning the next round fails.
  writeFileSync(path.join(out, 'runs/local/trees.bin'), 'x');
  const problem = /cluster trees: it does not begin as one of version 1/;
  const quiet = await baverly(['resume', out, '--workers', '1'], worker);
  expect(quiet.code).toBe(2);
  expect(quiet.stderr.split('\n')).toEqual([
    'error: the run cannot start',
    expect.stringMatching(problem),
    expect.stringMatching(/^Report: .*report\.html$/),
    '',
  ]);
  const { stderr } = await baverly(['resume', out, '--workers', '1', '--verbose'], worker);
  const failed = linesOf(stderr).filter((line) => line.startsWith('the run failed: '));
  expect(failed).toEqual([expect.stringMatching(/^the run failed: BadInputError: cluster trees: /)]);
  expect(JSON.parse(readFileSync(path.join(out, 'runs/local/failure.json'), 'utf8')).problems).toEqual([
    expect.stringMatching(problem),
  ]);
  const { status, problems } = JSON.parse(readFileSync(path.join(out, 'report.json'), 'utf8'));
  expect({ status, problems }).toEqual({ status: 'failed', problems: [expect.stringMatching(problem)] });
  expect(readFileSync(path.join(out, 'report.html'), 'utf8')).toMatch(problem);
});

test('an instance tells its steps on stderr; its answer stays as it is', async () => {
  const bounds = Array.from(set.inputs[0], (x) => [(x - 1e-4).toFixed(6), (x + 1e-4).toFixed(6)] as const);
  const property = fileIn(folder, 'unsat.vnnlib', vnnlib(bounds, set.labels[0], 3));
  const { stdout, stderr } = await baverly(['vnncomp', given[1]!, property, '--timeout', '30', '--verbose']);
  expect(stdout).toBe('unsat\n');
  const lines = linesOf(stderr);
  expect(lines.slice(0, 2)).toEqual(['1 region to settle, within 30 s', 'network of 4 inputs and 3 outputs']);
  expect(lines.slice(2).map((line) => line.replace(/[\d.]+ s$/, ''))).toEqual(
    expect.arrayContaining(['bounds: ', 'unsat after ']),
  );
});

test.each(['run', 'resume', 'vnncomp', 'submit', 'watch', 'serve'])(
  '%s --help says what --verbose tells',
  async (command) => {
    const { stdout } = await baverly([command, '--help']);
    expect(stdout.replace(/\s+/g, ' ')).toContain('--verbose tell on stderr, with the time of day, what happens: ');
  },
);
