import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { zipSync } from 'fflate';
import { writeNpy } from '../../lib/dataset/npy';
import { baverly } from '../support/command';
import { fileIn, temporaryFolder } from '../support/folder';
import { modelBytes, node, randomConvNet, randomMlp } from '../support/models';

const folder = temporaryFolder();
const model = fileIn(folder, 'net.onnx', randomMlp([4, 6, 3], 1));
const data = fileIn(folder, 'data.csv', '0,0.1,0.2,0.3,0.4\n2,0.5,0.6,0.7,0.8\n');
const out = path.join(folder, 'out');
const given = { '--model': model, '--data': data, '--epsilon': '0.02', '--out': out };

/** Runs with these options beside or instead of good ones (undefined: left out), and gives what the refusal says. */
async function refusal(options: Readonly<Record<string, string | undefined>>): Promise<string> {
  const argv = Object.entries({ ...given, ...options }).flatMap(([name, value]) =>
    value === undefined ? [] : [name, value],
  );
  return refused(await baverly(['run', ...argv]));
}

/** What a refusal has to be: exit code 2, nothing on stdout, no stack trace, nothing made. */
function refused({ code, stdout, stderr }: Awaited<ReturnType<typeof baverly>>): string {
  expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: '', stderr: expect.stringMatching(/^error: /) });
  expect(stderr).not.toMatch(/\n\s+at /);
  expect(existsSync(out)).toBe(false);
  return stderr;
}

describe('a model that', () => {
  test('is missing', async () => {
    expect(await refusal({ '--model': 'nowhere/net.onnx' })).toContain(
      '  - model nowhere/net.onnx: there is no such file\n',
    );
  });

  test('is a folder', async () => {
    expect(await refusal({ '--model': folder })).toContain(`model ${folder}: is a folder: give the file`);
  });

  test('is cut short', async () => {
    const cut = fileIn(folder, 'cut.onnx', randomMlp([4, 6, 3], 1).slice(0, 200));
    expect(await refusal({ '--model': cut })).toMatch(/model .*cut\.onnx: is not an ONNX file, or is cut short/);
  });

  test('is empty', async () => {
    const empty = fileIn(folder, 'empty.onnx', '');
    expect(await refusal({ '--model': empty })).toMatch(/empty\.onnx: is not an ONNX file/);
  });

  test('is no ONNX file', async () => {
    const text = fileIn(folder, 'text.onnx', 'not a model');
    expect(await refusal({ '--model': text })).toMatch(/text\.onnx: is not an ONNX file/);
  });

  test('is a damaged gzip file', async () => {
    const packed = fileIn(folder, 'net.onnx.gz', Uint8Array.of(0x1f, 0x8b, 8, 0, 1, 2, 3));
    expect(await refusal({ '--model': packed })).toMatch(/net\.onnx\.gz: the gzip stream is truncated or damaged/);
  });

  test('has unsupported operators: all are named', async () => {
    const bytes = modelBytes({
      nodes: [
        node('Sin', ['x'], 's', {}, 'first'),
        node('Erf', ['x'], 'e', {}, 'second'),
        node('Add', ['s', 'e'], 'y', {}, 'sum'),
      ],
      input: ['batch', 4],
      output: ['batch', 4],
    });
    const said = await refusal({ '--model': fileIn(folder, 'odd.onnx', bytes) });
    expect(said).toMatch(/first.*Sin.*is not supported/);
    expect(said).toMatch(/second.*Erf.*is not supported/);
  });

  test('takes inputs of another shape', async () => {
    const other = fileIn(folder, 'conv.onnx', randomConvNet(1));
    const said = await refusal({ '--model': other });
    expect(said).toContain(`data set ${data}: an item of the data has shape [4] (4 values), the model's input has`);
    expect(said).toContain('[1, 8, 8] (64 values): is this the data set of this model?');
  });
});

describe('data', () => {
  const withData = (name: string, content: string | Uint8Array) => ({ '--data': fileIn(folder, name, content) });

  test('that are missing', async () => {
    expect(await refusal({ '--data': 'none.csv' })).toContain('  - data none.csv: there is no such file\n');
  });

  test('of another shape than the model takes', async () => {
    expect(await refusal(withData('short.csv', '0,0.1,0.2\n'))).toContain(
      "has shape [2] (2 values), the model's input has shape [4]",
    );
  });

  test('of an unknown format', async () => {
    expect(await refusal(withData('data.dat', 'abc'))).toContain(
      'data.dat: its format is not recognised: give one of idx, npz, npy, csv, cifar',
    );
  });

  test('that the stated format does not fit', async () => {
    expect(await refusal({ '--format': 'cifar' })).toMatch(/has \d+ bytes, not a positive multiple of 3073/);
  });

  test('with labels that are no classes', async () => {
    const said = await refusal(withData('labels.csv', '0,0,0,0,0\n3,0,0,0,0\n-1,0,0,0,0\n'));
    expect(said).toContain('2 of 3 labels are not classes of the model (0 to 2), the first is 3 (input 1)');
  });

  test('with NaN in a table', async () => {
    expect(await refusal(withData('nan.csv', '0,0.1,nan,0.3,0.4\n'))).toContain(
      'line 1, column 3: "nan" is not a number',
    );
  });

  test('with NaN in an array', async () => {
    const x = writeNpy({ shape: [2, 4], values: Float32Array.of(0, 0, 0, 0, 0, Number.NaN, 0, 0) });
    const y = writeNpy({ shape: [2], values: Float64Array.of(0, 1) });
    expect(await refusal(withData('nan.npz', zipSync({ 'x.npy': x, 'y.npy': y })))).toContain(
      '1 of 8 values are NaN or infinite, the first is NaN (input 1, value 1)',
    );
  });

  test('outside the valid range', async () => {
    expect(await refusal(withData('wide.csv', '0,0.1,1.5,0.3,-0.4\n'))).toContain(
      '2 of 4 pixels are outside the valid range [0, 1], the first is 1.5 (input 0, value 1)',
    );
  });

  test('outside the range that the user states', async () => {
    expect(await refusal({ '--clip': '0.15,1' })).toContain('1 of 8 pixels are outside the valid range [0.15, 1]');
  });

  test('of bytes with a scale of 1: says what the scale may be', async () => {
    expect(await refusal({ ...withData('bytes.csv', '0,0,255,7,9\n'), '--scale': '1' })).toContain(
      'is the scale 1/255?',
    );
  });

  test('that lack labels', async () => {
    const said = await refusal(withData('x.npy', writeNpy({ shape: [1, 4], values: new Float32Array(4) })));
    expect(said).toContain('x.npy: npy data carry no labels: give the labels file too (--labels)');
    const idx = Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2, 3, 4);
    expect(await refusal(withData('t10k-images-idx3-ubyte', idx))).toContain(
      'idx data carry no labels: give the labels file too (--labels)',
    );
  });

  test('with a labels file that is missing', async () => {
    expect(await refusal({ '--labels': 'no-labels' })).toContain('labels no-labels: there is no such file');
    const both = await refusal({ '--data': 'none.csv', '--labels': 'no-labels' });
    expect(both).toContain('  - data none.csv: there is no such file\n  - labels no-labels: there is no such file\n');
  });

  test('with a labels file of another length', async () => {
    const npy = fileIn(folder, 'one.npy', writeNpy({ shape: [1, 4], values: new Float32Array(4) }));
    const labels = fileIn(folder, 'two.csv', '0\n1\n');
    expect(await refusal({ '--data': npy, '--labels': labels })).toContain('1 inputs but 2 labels');
  });
});

describe('radii', () => {
  test.each([
    ['-0.1', 'radius -0.1 must be above 0'],
    ['0', 'radius 0 must be above 0'],
    ['NaN', '"NaN" is not a radius: write a number (0.02, 1e-3) or a fraction (8/255)'],
    ['inf', '"inf" is not a radius'],
    ['8/0', 'radius 8/0 is not a finite number'],
    ['1.5', 'radius 1.5 is wider than the valid range [0, 1] of a pixel'],
    ['8', 'it is in pixel units after scaling (8/255?)'],
    ['tiny', '"tiny" is not a radius'],
    ['', '"" is not a radius'],
    ['0.02,2/100', 'radius 2/100 is given twice (as 0.02): leave one out'],
  ])('%j', async (epsilon, said) => {
    expect(await refusal({ '--epsilon': epsilon })).toContain(said);
  });

  test('are a hundred at most', async () => {
    const radii = Array.from({ length: 101 }, (_, i) => `${i + 1}/1000`).join(',');
    expect(await refusal({ '--epsilon': radii })).toContain(
      '  - epsilon: 101 radii are given: at most 100 radii: verify others in a run of their own\n',
    );
  });

  test('are compared with the range that the user states', async () => {
    expect(await refusal({ '--clip': '0,0.9', '--epsilon': '0.95' })).toContain('wider than the valid range [0, 0.9]');
  });
});

describe('options', () => {
  test.each([
    ['--workers', '0', "argument '0' is invalid. It must be a whole number above 0."],
    ['--workers', '1.5', 'It must be a whole number above 0.'],
    ['--first', '0', "option '--first <n>' argument '0' is invalid. It must be a whole number above 0."],
    ['--seed', '-1', 'It must be a whole number of 0 or more, below 2^31.'],
    ['--mode', 'x', "argument 'x' is invalid. Allowed choices are batch, single."],
    ['--workers', '10001', 'It must be at most 10000.'],
    ['--time-per-ball', '0', 'It must be a number above 0.'],
    ['--time-per-ball', '3601', 'It must be at most 3600: what takes longer stays unknown.'],
    ['--memory', 'much', 'It must be a whole number above 0.'],
    ['--fail-below', '95', 'It must be a number of 0 to 1.'],
    ['--fail-below', 'all', 'It must be a number of 0 to 1.'],
    ['--format', 'png', 'Allowed choices are idx, npz, npy, csv, cifar.'],
    ['--layout', 'NCHW', 'Allowed choices are CHW, HWC, flat.'],
    ['--scale', '1/', 'It must be a number or a fraction such as 1/255.'],
    ['--mean', '0.5,', 'It must be a number or a fraction such as 1/255.'],
    ['--clip', '1,0', 'clip: must be [low, high] with low < high'],
    ['--clip', '1', 'clip: must be two numbers, [low, high]'],
    ['--std', '0', 'std.0:'],
    ['--scale', '-1', 'scale:'],
    ['--mean', '0.1,0.2', "preprocessing mean has 2 values, the model's input [4] has 1 channel: give one value"],
  ])('%s %s', async (option, value, said) => {
    expect(await refusal({ [option]: value })).toContain(said);
  });

  test('in the environment', async () => {
    process.env.BAVERLY_LEMMAS = 'yes';
    try {
      expect(await refusal({ '--epsilon': 'x' })).toMatch(
        /environment: BAVERLY_LEMMAS is "yes"; set it to on or off\n(.*\n)*.*epsilon/,
      );
    } finally {
      delete process.env.BAVERLY_LEMMAS;
    }
  });

  test('that do not exist', async () => {
    expect(await refusal({ '--frist': '3' })).toMatch(/unknown option '--frist'\n\(Did you mean --first\?\)/);
  });

  test('that need a value and have none', async () => {
    expect(refused(await baverly(['run', '--model']))).toContain("option '--model <file>' argument missing");
  });

  test('that are required and missing: all are named', async () => {
    const said = await refusal({ '--model': undefined, '--data': undefined, '--epsilon': undefined });
    expect(said.split('\n').slice(1, 4)).toEqual([
      '  - required option --model is missing',
      '  - required option --data is missing',
      '  - required option --epsilon is missing',
    ]);
  });

  test('that nobody asked for: an argument', async () => {
    expect(refused(await baverly(['run', 'net.onnx']))).toContain('too many arguments');
  });
});

describe('a preprocessing file', () => {
  const withFile = (content: string) => ({ '--preprocessing': fileIn(folder, 'pre.json', content) });

  test('that is missing', async () => {
    expect(await refusal({ '--preprocessing': 'none.json' })).toContain(
      'preprocessing none.json: there is no such file',
    );
  });

  test('that is no JSON', async () => {
    expect(await refusal(withFile('{scale: 1}'))).toMatch(/preprocessing .*pre\.json: it is not JSON/);
  });

  test('with an unknown key and bad values: all are named', async () => {
    const said = await refusal(withFile('{"scal": 1, "layout": "NCHW", "std": [0], "clip": [1, 0]}'));
    for (const problem of ['Unrecognized key: "scal"', 'layout: ', 'std.0: ', 'clip: must be [low, high]']) {
      expect(said).toContain(problem);
    }
  });

  test('of another number of channels', async () => {
    expect(await refusal(withFile('{"std": [1, 1, 1]}'))).toContain('preprocessing std has 3 values');
  });
});

describe('an output folder', () => {
  test('below a file', async () => {
    const said = await refusal({ '--out': path.join(data, 'x', 'y') });
    expect(said).toContain(`cannot be written: ${data} is a file, not a folder; choose another --out`);
  });

  test('that the file system refuses', async () => {
    const said = await refusal({ '--out': '/proc/baverly/x' });
    expect(said).toContain('output folder /proc/baverly/x');
    expect(said).toContain('cannot be written');
  });

  test('that holds a run already', async () => {
    const used = path.join(folder, 'used one');
    mkdirSync(path.join(used, 'runs', 'local'), { recursive: true });
    const said = await refusal({ '--out': used });
    expect(said).toContain('holds a run already: finish it with npx baverly resume');
    expect(said).toMatch(/'.*used one', or choose another --out/);
  });
});

test('everything that is wrong is told at once', async () => {
  const said = await refusal({
    '--model': 'no.onnx',
    '--data': 'no.npz',
    '--epsilon': '-1,x',
    '--out': path.join(data, 'x'),
    '--preprocessing': 'no.json',
  });
  const problems = said.split('\n').filter((line) => line.startsWith('  - '));
  expect(problems).toHaveLength(6);
});

test('with --json the problems are on stdout too, as JSON', async () => {
  const { code, stdout, stderr } = await baverly(['run', '--model', 'no.onnx', '--data', data, '--json']);
  expect(code).toBe(2);
  const problems = ['required option --epsilon is missing', 'model no.onnx: there is no such file'];
  expect(JSON.parse(stdout)).toEqual({ status: 'failed', error: 'BadInputError', problems, exitCode: 2 });
  for (const problem of problems) expect(stderr).toContain(problem);
  const unknown = await baverly(['run', '--json', '--frist', '1']);
  expect(JSON.parse(unknown.stdout)).toMatchObject({ problems: [expect.stringContaining("'--frist'")], exitCode: 2 });
});

test('no escape sequence of a name reaches the terminal', async () => {
  expect(await refusal({ '--model': 'a\x1b[31m.onnx' })).toContain('model a [31m.onnx');
});
