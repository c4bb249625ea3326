import { copyFileSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'fflate';
import { writeNpy } from '../../lib/dataset/npy';
import type { Report } from '../../lib/report/record';
import { baverly, builtCommand, type Ended } from '../support/command';
import { fileIn, temporaryFolder } from '../support/folder';
import { csvOf, tinySet } from '../support/tiny-run';

const { worker } = builtCommand();
const folder = temporaryFolder();
const files = { model: '', csv: '', npy: '', labels: '', wrong: '' };
let runs = 0;

beforeAll(async () => {
  const set = await tinySet({ wrong: 2 });
  files.model = fileIn(folder, 'tiny.onnx', set.model);
  files.csv = fileIn(folder, 'tiny.csv', csvOf(set));
  const values = Float32Array.from(set.inputs.flatMap((input) => [...input]));
  files.npy = fileIn(folder, 'tiny.npy', writeNpy({ shape: [set.inputs.length, 4], values }));
  files.wrong = fileIn(folder, 'wrong.csv', csvOf({ ...set, labels: set.labels.map((label) => (label + 1) % 3) }));
  files.labels = fileIn(folder, 'labels.csv', set.labels.map((label) => `${label}\n`).join(''));
});

/** Runs the small set at two radii with these further arguments. */
async function run(...more: string[]): Promise<Ended & { readonly out: string; readonly report: Report }> {
  const out = path.join(folder, `run-${++runs}`);
  const given = ['--model', files.model, '--epsilon', '0.02,1/10', '--workers', '1', '--out', out];
  const data = more.includes('--data') ? [] : ['--data', files.csv];
  const ended = await baverly(['run', ...given, ...data, ...more], worker);
  const file = path.join(out, 'report.json');
  return { ...ended, out, report: existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined };
}

function verdicts({ balls }: Report): string[] {
  return balls.map(({ index, epsilon, verdict }) => `${index} ${epsilon} ${verdict}`);
}

describe('a run', () => {
  let first: Awaited<ReturnType<typeof run>>;
  beforeAll(async () => {
    first = await run();
  });

  test('ends with exit code 0 and a verdict for every ball', () => {
    const { code, report } = first;
    expect({ code, status: report.status, cleanAccuracy: report.run.cleanAccuracy }).toEqual({
      code: 0,
      status: 'done',
      cleanAccuracy: 58 / 60,
    });
    const balls = Array.from({ length: 60 }, (_, i) => [`${i} 0.02`, `${i} 1/10`]).flat();
    expect(report.balls.map(({ index, epsilon }) => `${index} ${epsilon}`)).toEqual(balls);
    expect(report.balls.slice(0, 4).map(({ verdict }) => verdict)).toEqual(Array(4).fill('misclassified'));
    expect(new Set(report.balls.map(({ verdict }) => verdict))).toContain('robust');
  });

  test('leaves no folder of temporary files behind', () => {
    expect(readdirSync(first.out)).toEqual(expect.arrayContaining(['report.html', 'runs']));
    expect(readdirSync(first.out).filter((name) => name.startsWith('%'))).toEqual([]);
  });

  test('shows a table on stdout, and on stderr only how far it is', () => {
    expect(first.stderr).toMatch(/^(\d+ of \d+ balls, .*\n)*$/);
    for (const text of ['0.02', '1/10', 'certified accuracy', '60 inputs', 'report.html']) {
      expect(first.stdout).toContain(text);
    }
    for (const name of ['report.html', 'report.csv']) expect(existsSync(path.join(first.out, name))).toBe(true);
  });

  test('with the same seed gives the same verdicts; with --json prints one JSON value and nothing on stderr', async () => {
    const { code, stdout, stderr, out, report } = await run('--seed', '0', '--json');
    expect(verdicts(report)).toEqual(verdicts(first.report));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({
      status: 'done',
      inputs: 60,
      missing: 0,
      folder: out,
      exitCode: 0,
      radii: [{ epsilon: '0.02' }, { epsilon: '1/10' }],
    });
  });

  test('one ball after the other never contradicts mini-batches', async () => {
    const { report } = await run('--mode', 'single', '--seed', '1');
    expect(report.batches.every(({ size }) => size === 1)).toBe(true);
    expect(first.report.batches.some(({ size }) => size > 1)).toBe(true);
    const contradictions = report.balls.filter(({ verdict }, i) => {
      const other = first.report.balls[i].verdict;
      return verdict !== other && verdict !== 'unknown' && other !== 'unknown';
    });
    expect(contradictions).toEqual([]);
  });

  test('with labels in a file of their own, of a gzipped model', async () => {
    const packed = fileIn(folder, 'packed.onnx.gz', gzipSync(readFileSync(files.model)));
    const { code, report } = await run('--data', files.npy, '--labels', files.labels, '--model', packed);
    expect(code).toBe(0);
    expect(report.run.modelHash).toBe(first.report.run.modelHash);
    expect(verdicts(report)).toEqual(verdicts(first.report));
  });

  test('of the first inputs, from a file whose name does not tell its format, below --fail-below: exit code 1', async () => {
    const data = path.join(folder, 'tiny.dat');
    copyFileSync(files.csv, data);
    const { code, stderr, report } = await run('--data', data, '--format', 'csv', '--first', '7', '--fail-below', '1');
    expect({ code, inputs: report.run.inputs }).toEqual({ code: 1, inputs: 7 });
    expect(stderr).toMatch(/The proven certified accuracy is below 1: 0\.\d+ at 0\.02, 0(\.\d+)? at 1\/10\.\n$/);
    expect(verdicts(report)).toEqual(verdicts(first.report).slice(0, 14));
  });

  test('that is done can be asked again, with --fail-below at just what is proven', async () => {
    const least = Math.min(...first.report.radii.map(({ certifiedAccuracy }) => certifiedAccuracy[0]));
    const again = await baverly(['resume', first.out, '--fail-below', String(least), '--workers', '1'], worker);
    expect({ code: again.code, stdout: again.stdout.includes('60 inputs') }).toEqual({ code: 0, stdout: true });
    const more = await baverly(['resume', first.out, '--fail-below', String(least + 1e-9), '--workers', '1'], worker);
    expect(more.code).toBe(1);
  });
});

describe('a model that hardly beats guessing', () => {
  test('is refused with the likely causes, and what to do', async () => {
    const { code, stdout, stderr } = await run('--data', files.wrong);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(
      /^error: the run cannot start\n {2}- data set wrong\.csv: the model classifies \d+ of 60 inputs/,
    );
    for (const cause of ['scale', 'layout', 'mean and std', 'labels', '--accept-low-accuracy']) {
      expect(stderr).toContain(cause);
    }
  });

  test('is verified with --accept-low-accuracy, in the folder of the refused run', async () => {
    const refused = await run('--data', files.wrong);
    expect(refused.code).toBe(2);
    const { code } = await run('--data', files.wrong, '--accept-low-accuracy', '--out', refused.out);
    expect(code).toBe(0);
    expect(existsSync(path.join(refused.out, 'runs/local/failure.json'))).toBe(false);
    const again = await run('--out', refused.out);
    expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining('holds a run already') });
  });

  test('on few inputs is verified with a warning, on stderr or in the JSON, unless told that this is meant', async () => {
    const few = ['--data', files.wrong, '--first', '10'];
    const warning = /^the model classifies [0-3] of 10 inputs .* too few .*: check the scale/;
    const { code, stderr } = await run(...few);
    expect(code).toBe(0);
    expect(stderr.split('\n').at(-2)).toMatch(new RegExp(warning.source.replace('^', '^warning: ')));
    const asJson = await run(...few, '--json');
    expect(asJson.stderr).toBe('');
    expect(JSON.parse(asJson.stdout)).toMatchObject({ warnings: [expect.stringMatching(warning)] });
    const meant = await run(...few, '--json', '--accept-low-accuracy');
    expect(JSON.parse(meant.stdout)).toMatchObject({ warnings: [] });
  });

  test('with --json the refusal is JSON', async () => {
    const { code, stdout } = await run('--data', files.wrong, '--json');
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({
      status: 'failed',
      error: 'BadInputError',
      problems: [expect.stringContaining('--accept-low-accuracy')],
      exitCode: 2,
    });
  });
});
