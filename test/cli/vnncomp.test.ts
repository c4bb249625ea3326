import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync, strToU8 } from 'fflate';
import { baverly } from '../support/command';
import { fileIn, temporaryFolder } from '../support/folder';
import { modelBytes, node } from '../support/models';
import { scoresBy, vnnlib, witnessOf } from '../support/property';
import { type TinySet, tinySet } from '../support/tiny-run';

const folder = temporaryFolder();
let set: TinySet;
let net: string;
beforeAll(async () => {
  set = await tinySet();
  net = fileIn(folder, 'net.onnx', set.model);
});

/** A property about a ball of the small set; `label` is the input's own unless given. */
function property(name: string, radius: number, label = set.labels[0]) {
  const bounds = Array.from(set.inputs[0], (x) => [(x - radius).toFixed(6), (x + radius).toFixed(6)] as const);
  const text = vnnlib(bounds, label, 3);
  return { bounds, text, file: fileIn(folder, name, text) };
}

test('unsat', async () => {
  const { file } = property('unsat.vnnlib', 1e-4);
  expect(await baverly(['vnncomp', net, file, '--timeout', '30'])).toEqual({ code: 0, stdout: 'unsat\n', stderr: '' });
});

test.each([
  ['at the centre', 1e-4, 1],
  ['found by the attack', 3, 0],
])(
  'sat, with a witness %s: in the box as the file states it, with the outputs of ONNX Runtime',
  async (_, radius, turn) => {
    const label = (set.labels[0] + turn) % 3;
    const { bounds, file } = property('sat.vnnlib', radius, label);
    const { code, stdout, stderr } = await baverly(['vnncomp', net, file, '--timeout', '30']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { inputs, outputs } = witnessOf(stdout);
    expect(inputs).toHaveLength(4);
    for (const [i, x] of inputs.entries()) {
      expect(x).toBeGreaterThanOrEqual(Number(bounds[i][0]));
      expect(x).toBeLessThanOrEqual(Number(bounds[i][1]));
      expect(Math.fround(x)).toBe(x);
    }
    const scores = await scoresBy(set.model, inputs);
    expect(outputs).toHaveLength(3);
    for (const [k, y] of outputs.entries()) expect(y).toBeCloseTo(scores[k], 5);
    expect(Math.max(...outputs.filter((__, k) => k !== label))).toBeGreaterThanOrEqual(outputs[label]);
  },
);

test('timeout', async () => {
  const { file } = property('late.vnnlib', 0.3);
  const { code, stdout } = await baverly(['vnncomp', net, file, '--timeout', '0.000001']);
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'timeout\n' });
});

test('gzipped files, and the answer in a file', async () => {
  const packedNet = fileIn(folder, 'net.onnx.gz', gzipSync(set.model));
  const packed = fileIn(folder, 'unsat.vnnlib.gz', gzipSync(strToU8(property('plain.vnnlib', 1e-4).text)));
  const result = path.join(folder, 'answer.txt');
  const ended = await baverly(['vnncomp', packedNet, packed, '--timeout', '30', '--result', result]);
  expect(ended).toEqual({ code: 0, stdout: '', stderr: '' });
  expect(readFileSync(result, 'utf8')).toBe('unsat\n');
});

describe('refused', () => {
  async function refusal(...argv: string[]): Promise<string> {
    const { code, stdout, stderr } = await baverly(['vnncomp', ...argv]);
    expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: '', stderr: expect.stringMatching(/^error: /) });
    expect(stderr).not.toMatch(/\n\s+at /);
    return stderr;
  }

  test('a property of another network', async () => {
    const file = fileIn(
      folder,
      'other.vnnlib',
      vnnlib(
        [
          ['0', '1'],
          ['0', '1'],
        ],
        0,
        5,
      ),
    );
    expect(await refusal(net, file, '--timeout', '5')).toContain(
      `property ${file}: is about 2 inputs and 5 outputs, ${net} has 4 and 3: is it a property of this network?`,
    );
  });

  test('network, property and result that cannot be read or written, all at once', async () => {
    const result = path.join(folder, 'none', 'answer.txt');
    const said = await refusal('no.onnx', 'no.vnnlib', '--timeout', '5', '--result', result);
    expect(said).toContain('network no.onnx: there is no such file');
    expect(said).toContain('property no.vnnlib: there is no such file');
    expect(said).toContain(`result ${result}: cannot be written: there is no folder ${path.dirname(result)}`);
    expect(await refusal('no.onnx', 'no.vnnlib', '--timeout', '5', '--result', folder)).toContain('is a folder');
  });

  test('a damaged property, with the lines', async () => {
    const file = fileIn(folder, 'bad.vnnlib', '(declare-const X_0 Real)\n(assert (>= X_0 0.1)\n');
    expect(await refusal(net, file, '--timeout', '5')).toMatch(/property .*bad\.vnnlib: line 2/);
  });

  test('an unsupported operator', async () => {
    const odd = modelBytes({ nodes: [node('Sin', ['x'], 'y')], input: ['batch', 4], output: ['batch', 4] });
    const said = await refusal(fileIn(folder, 'odd.onnx', odd), property('p.vnnlib', 0.1).file, '--timeout', '5');
    expect(said).toMatch(/Sin.*is not supported/);
  });

  test('without a time budget, or with a bad one; nothing is written', async () => {
    const { file } = property('q.vnnlib', 0.1);
    const result = path.join(folder, 'never.txt');
    expect(await refusal(net, file, '--result', result)).toContain("required option '--timeout <seconds>'");
    expect(await refusal(net, file, '--timeout', '0', '--result', result)).toContain('It must be a number above 0.');
    expect(existsSync(result)).toBe(false);
  });
});

test('of a file with something wrong in every line people are told the first twenty problems', async () => {
  const file = fileIn(folder, 'noise.vnnlib', '(surprise)\n'.repeat(50));
  const { code, stderr } = await baverly(['vnncomp', net, file, '--timeout', '30']);
  expect(code).toBe(2);
  const lines = stderr.trimEnd().split('\n');
  expect(lines).toHaveLength(22);
  expect(lines[21]).toMatch(/^ {2}- and \d+ more$/);
});
