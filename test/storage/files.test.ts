import promises, { mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileStorage, tidyFolder } from '../../lib/storage/files';
import { getText, type Storage } from '../../lib/storage/storage';

let root: string;
let storage: Storage;

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'baverly-files-'));
  storage = fileStorage(root);
});

afterEach(() => rm(root, { recursive: true }));

const keysOf = async (prefix: string) => (await storage.list(prefix)).map(({ key }) => key);

test('an ordinary key is a path, in both directions', async () => {
  await storage.put('runs/x/report.json', '{}');
  expect(await readFile(path.join(root, 'runs/x/report.json'), 'utf8')).toBe('{}');
  await mkdir(path.join(root, 'models'));
  await writeFile(path.join(root, 'models/mnist net.onnx'), 'model');
  expect(await getText(storage, 'models/mnist net.onnx')).toBe('model');
  expect(await storage.list('models/')).toEqual([{ key: 'models/mnist net.onnx', size: 5 }]);
});

test('what comes second to a plain name gets a marked one', async () => {
  for (const key of ['first', 'first/below', 'folder/below', 'folder']) await storage.put(key, key);
  expect((await readdir(root)).sort()).toEqual(['%temporary', 'first', 'first%folder', 'folder', 'folder%object']);
  expect(await readFile(path.join(root, 'folder%object'), 'utf8')).toBe('folder');
});

test('the folder for temporary files goes when all is written, and comes back when something is', async () => {
  await storage.put('a', 'x');
  const half = path.join(root, '%temporary', 'of another process');
  await writeFile(half, 'half a bo');
  await tidyFolder(root);
  expect(await readdir(root)).toContain('%temporary');
  await rm(half);
  await tidyFolder(root);
  await tidyFolder(root);
  expect(await readdir(root)).toEqual(['a']);
  await storage.put('b', 'y');
  expect(await getText(storage, 'b')).toBe('y');
});

test('no temporary file is left, or listed', async () => {
  await storage.put('a', 'x');
  await storage.putIfAbsent('a', 'y');
  await storage.putIfAbsent('b', 'y');
  expect(await readdir(path.join(root, '%temporary'))).toEqual([]);
  await writeFile(path.join(root, '%temporary', 'of another process'), 'half a bo');
  expect(await keysOf('')).toEqual(['a', 'b']);
  expect(await keysOf('%temporary')).toEqual([]);
});

test('the first write removes what killed processes left, but nothing that may be in use', async () => {
  const temporary = path.join(root, '%temporary');
  await mkdir(temporary);
  for (const name of ['old', 'new']) await writeFile(path.join(temporary, name), 'half a bo');
  await utimes(path.join(temporary, 'old'), new Date(0), new Date(0));
  await storage.put('a', 'x');
  expect(await readdir(temporary)).toEqual(['new']);
});

test('linked files and folders are read as if they were here', async () => {
  const elsewhere = await mkdtemp(path.join(tmpdir(), 'baverly-elsewhere-'));
  await writeFile(path.join(elsewhere, 'images.bin'), 'images');
  await symlink(elsewhere, path.join(root, 'datasets'));
  await symlink(path.join(elsewhere, 'images.bin'), path.join(root, 'copy.bin'));
  await symlink(path.join(root, 'nowhere'), path.join(root, 'broken'));
  await symlink(root, path.join(root, 'datasets', 'circle'));
  expect(await getText(storage, 'datasets/images.bin')).toBe('images');
  expect((await storage.list('datasets/i')).concat(await storage.list('copy'))).toEqual([
    { key: 'datasets/images.bin', size: 6 },
    { key: 'copy.bin', size: 6 },
  ]);
  // Neither the broken link nor what the circle leads back to.
  expect(await keysOf('')).toEqual(['copy.bin', 'datasets/images.bin']);
  await rm(elsewhere, { recursive: true });
});

test('files whose names no key has are not listed', async () => {
  for (const name of ['100%', '%41', 'x%object', 'back\\slash']) await writeFile(path.join(root, name), 'x');
  for (const name of ['short%more', 'x%folder']) {
    await mkdir(path.join(root, name));
    await writeFile(path.join(root, name, 'y'), 'x');
  }
  await writeFile(path.join(root, 'plain'), 'x');
  expect(await keysOf('')).toEqual(['plain']);
});

test('a listing reads the folders that the prefix implies, and no others', async () => {
  for (const key of ['runs/1/a', 'runs/1/below/b', 'runs/10/a', 'runs/2/a', 'other/a']) await storage.put(key, 'x');
  const readdir = jest.spyOn(promises, 'readdir');
  const read = async (prefix: string) => {
    readdir.mockClear();
    const keys = await keysOf(prefix);
    return [keys, readdir.mock.calls.map(([folder]) => path.relative(root, String(folder)))];
  };
  expect(await read('runs/1/')).toEqual([
    ['runs/1/a', 'runs/1/below/b'],
    ['runs/1', 'runs/1/below'],
  ]);
  expect(await read('runs/2')).toEqual([['runs/2/a'], ['runs', 'runs/2']]);
  expect(await read('nothing/at/all')).toEqual([[], []]);
  readdir.mockRestore();
});

test('a folder that cannot be made is an error that names it', async () => {
  await writeFile(path.join(root, 'file'), 'x');
  const below = fileStorage(path.join(root, 'file'));
  await expect(below.put('a', 'x')).rejects.toThrow(path.join(root, 'file'));
  expect(await below.list('')).toEqual([]);
});
