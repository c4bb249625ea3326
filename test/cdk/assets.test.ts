import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { Template } from 'aws-cdk-lib/assertions';
import { zipSync } from 'fflate';
import type { FunctionName } from '../../cdk/constructs/access';
import { project } from '../../cdk/project';
import { assetFolder, filesOf } from './assets';
import { prepare, type Synthesis } from './synthesis';

const megabyte = 1_000_000;
/** The zips that are uploaded are about 5 % smaller. */
const fast = { level: 1 } as const;
const sum = (sizes: readonly number[]) => sizes.reduce((total, size) => total + size, 0);

let synthesis: Synthesis;
let files: Record<FunctionName, Record<string, Uint8Array>>;
beforeAll(() => {
  synthesis = prepare({}, true);
  synthesis.app.synth();
  const template = Template.fromStack(synthesis.stack);
  const read = (name: FunctionName) => filesOf(assetFolder(template, synthesis.folder, name));
  files = {
    ...{ plan: read('plan'), verify: read('verify'), coordinate: read('coordinate'), report: read('report') },
    ...{ refine: read('refine'), dispatch: read('dispatch'), audit: read('audit') },
  };
});
afterAll(() => synthesis.remove());

describe.each(['plan', 'verify', 'refine'] as const)('the zip of %s', (name) => {
  test('has less than 30 MB, and less than the 250 MB that Lambda unpacks', () => {
    const contents = files[name];
    expect(sum(Object.values(contents).map((body) => body.length))).toBeLessThan(250 * megabyte);
    expect(zipSync(contents, fast).length).toBeLessThan(30 * megabyte);
  });

  test('has ONNX Runtime for Linux on arm64 and for nothing else, complete with what it requires, and HiGHS', () => {
    const names = Object.keys(files[name]);
    const native = names.filter((file) => file.startsWith('node_modules/onnxruntime-node/bin/'));
    expect(native.sort()).toEqual([
      'node_modules/onnxruntime-node/bin/napi-v6/linux/arm64/libonnxruntime.so.1',
      'node_modules/onnxruntime-node/bin/napi-v6/linux/arm64/onnxruntime_binding.node',
    ]);
    expect(names).toEqual(
      expect.arrayContaining([
        'index.js',
        'index.js.map',
        'node_modules/highs/build/highs.js',
        'node_modules/highs/build/highs.wasm',
        'node_modules/highs/package.json',
        'node_modules/onnxruntime-common/dist/cjs/index.js',
        'node_modules/onnxruntime-common/package.json',
        'node_modules/onnxruntime-node/dist/index.js',
        'node_modules/onnxruntime-node/package.json',
      ]),
    );
    expect(names.filter((file) => /\.d\.ts$|\.mjs$|\/esm\//.test(file))).toEqual([]);
  });
});

test('HiGHS solves a linear program with what lies beside the bundle of verify', () => {
  const folder = assetFolder(Template.fromStack(synthesis.stack), synthesis.folder, 'verify');
  const program = 'Minimize\n obj: x\nSubject To\n c: x >= 2\nEnd';
  const script = `require('highs')().then((highs) => console.log(highs.solve(${JSON.stringify(program)}).ObjectiveValue))`;
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', script], { cwd: folder, encoding: 'utf8' });
  expect({ stdout, stderr }).toEqual({ stdout: '2\n', stderr: '' });
});

test.each(['coordinate', 'report', 'dispatch', 'audit'] as const)(
  'the zip of %s is our code alone, without ONNX Runtime',
  (name) => {
    const contents = files[name];
    expect(Object.keys(contents).sort()).toEqual(['index.js', 'index.js.map']);
    expect(new TextDecoder().decode(contents['index.js'])).not.toMatch(/require\(["']onnxruntime/);
    expect(zipSync(contents, fast).length).toBeLessThan(3 * megabyte);
  },
);

test('ONNX Runtime for a machine that it does not know is refused, with those that it knows', () => {
  const out = path.join(synthesis.folder, 'nowhere');
  const { status, stderr } = spawnSync(process.execPath, [project.copyPackages, out, 'linux/riscv'], {
    encoding: 'utf8',
  });
  expect(status).toBe(1);
  expect(stderr).toMatch(/no binary for linux\/riscv, only for .*linux\/arm64, linux\/x64/);
});
