import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const root = path.join(__dirname, '../..');
let folder: string;

beforeAll(() => {
  folder = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'run-ts-')));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the script with these files beside it. */
function run(files: Record<string, string>, ...args: string[]) {
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
  return spawnSync(process.execPath, [path.join(root, 'scripts/run-ts.cjs'), ...args], {
    encoding: 'utf8',
    cwd: folder,
  });
}

test('passes arguments and exit code, resolves packages and keeps every file its own folder', () => {
  const { stdout, stderr, status } = run(
    {
      'main.ts': `import { zipSync } from 'fflate';
        import { where } from './where';
        const list: readonly string[] = process.argv.slice(2);
        console.log(JSON.stringify({ list, where, own: __dirname, main: process.argv[1], zip: typeof zipSync }));
        process.exitCode = 3;`,
      'where.ts': 'export const where: string = __filename;',
    },
    'main.ts',
    'a b',
    '--flag',
  );
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toEqual({
    list: ['a b', '--flag'],
    where: path.join(folder, 'where.ts'),
    own: folder,
    main: path.join(folder, 'main.ts'),
    zip: 'function',
  });
  expect(status).toBe(3);
});

test('an error points into the TypeScript source and fails; no bundle is left behind', () => {
  const { stderr, status, pid } = run(
    {
      'fails.ts': 'interface A {\n  a: number;\n}\nexport const a: A = { a: 1 };\n\nthrow new Error(`on line six`);\n',
    },
    'fails.ts',
  );
  expect(stderr).toContain('on line six');
  expect(stderr).toMatch(/fails\.ts:6/);
  expect(status).toBe(1);
  expect(readdirSync(path.join(root, '.build')).filter((file) => file.includes(`-${pid}.`))).toEqual([]);
});

test.each([
  [[], 'no script given'],
  [['absent.ts'], 'there is no file absent.ts'],
])('%j is refused with the usage', (args: string[], problem: string) => {
  const { stderr, status } = run({}, ...args);
  expect(stderr).toContain(problem);
  expect(stderr).toContain('usage: node scripts/run-ts.cjs');
  expect(status).toBe(2);
});
