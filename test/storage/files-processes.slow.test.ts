import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { build } from 'esbuild';
import { fileStorage } from '../../lib/storage/files';
import { getText, type Storage } from '../../lib/storage/storage';

let folder: string;
let root: string;
let program: string;
const children: ChildProcess[] = [];

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'baverly-processes-'));
  program = path.join(folder, 'writer.cjs');
  await build({
    entryPoints: [path.join(__dirname, 'files-writer.ts')],
    outfile: program,
    bundle: true,
    platform: 'node',
    logLevel: 'error',
  });
});

beforeEach(async () => {
  root = await mkdtemp(path.join(folder, 'root-'));
});

afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await rm(folder, { recursive: true });
});

/** Starts a writer and waits until it is ready. */
async function start(...args: string[]) {
  const child = spawn(process.execPath, [program, root, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  while (!output.startsWith('ready\n')) await once(child.stdout, 'data');
  return { child, output: () => output };
}

test('each key that processes race for has one winner, whose body is there', async () => {
  const names = ['one', 'two', 'three', 'four'];
  const writers = await Promise.all(names.map((name) => start('race', name, '100')));
  for (const { child } of writers) child.stdin.end('go\n');
  await Promise.all(writers.map(({ child }) => once(child, 'close')));
  const wins = writers.map(({ output }) =>
    output()
      .split('\n')
      .filter((line) => line.startsWith('race/')),
  );
  expect(wins.flat().sort()).toEqual(Array.from({ length: 100 }, (_, i) => `race/${i}`).sort());
  const storage = fileStorage(root);
  for (const [i, name] of names.entries()) {
    for (const key of wins[i]) expect((await getText(storage, key)).replace(/-.*/s, '')).toBe(name);
  }
  expect(await readdir(path.join(root, '%temporary'))).toEqual([]);
});

test('processes that race for a name as object and as folder both get their objects', async () => {
  const writers = await Promise.all(['object', 'folder'].map((role) => start('nest', role, '50')));
  for (const { child } of writers) child.stdin.end('go\n');
  await Promise.all(writers.map(({ child }) => once(child, 'close')));
  const storage = fileStorage(root);
  expect(await storage.list('')).toHaveLength(100);
  for (let i = 0; i < 50; i++) {
    expect(await getText(storage, `nest/${i}`)).toBe('object');
    expect(await getText(storage, `nest/${i}/below`)).toBe('folder');
  }
});

test('a process killed while it writes leaves whole objects only, and shows no other while it runs', async () => {
  const storage = fileStorage(root);
  for (let kill = 0; kill < 4; kill++) {
    const { child } = await start('overwrite', 'x', '0');
    child.stdin.end('go\n');
    while ((await storage.list('')).length < 4) await delay(5);
    for (let look = 0; look < 30 * kill; look++) {
      const sizes = (await storage.list('')).map(({ size }) => size);
      expect(sizes.filter((size) => !wholeSizes.includes(size))).toEqual([]);
    }
    for (let look = 0; look < kill; look++) await expectWholeObjects(storage, 'again/');
    child.kill('SIGKILL');
    await once(child, 'close');
    await expectWholeObjects(storage, 'again/');
    await expectWholeObjects(storage, `new/${child.pid}/`);
  }
});

/** The sizes of the bodies that the process writes. */
const wholeSizes = [1_000_004, 2_000_004, 3_000_004];

/** Every body is one byte value repeated, as often as its first 4 bytes say. */
async function expectWholeObjects(storage: Storage, prefix: string): Promise<void> {
  for (const { key } of await storage.list(prefix)) {
    const body = Buffer.from(await storage.get(key));
    expect(body.length).toBe(4 + (body.length < 4 ? Number.NaN : body.readUInt32LE()));
    expect(body.equals(Buffer.concat([body.subarray(0, 4), Buffer.alloc(body.length - 4, body[4])]))).toBe(true);
  }
}
