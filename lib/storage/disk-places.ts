import { mkdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { marks } from './disk-names';

/**
 * Which path an object has, given that a plain name may be taken by an object or a folder. Nothing is ever deleted or turned
 * from one into the other, so a plain name once taken stays what it is, and the file system itself decides races between
 * processes (mkdir and link fail on an existing name). Every process therefore finds the same place for a key.
 */

/** What is at a path: symbolic links count as what they point to. */
export async function kindAt(place: string): Promise<'folder' | 'object' | 'nothing'> {
  try {
    return (await stat(place)).isDirectory() ? 'folder' : 'object';
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return 'nothing';
    throw error;
  }
}

/** The folder that holds what has these folder names in its key; it need not exist. */
export async function findFolder(root: string, names: readonly string[]): Promise<string> {
  let folder = root;
  for (const name of names) {
    const plain = path.join(folder, name);
    folder = (await kindAt(plain)) === 'object' ? plain + marks.folder : plain;
  }
  return folder;
}

/** The file that holds the object with these names; it need not exist. */
export async function findObject(root: string, names: readonly string[]): Promise<string> {
  const plain = path.join(await findFolder(root, names.slice(0, -1)), names[names.length - 1]);
  return (await kindAt(plain)) === 'folder' ? plain + marks.object : plain;
}

/** The folder that holds what has these folder names in its key, made if need be. */
export async function makeFolder(root: string, names: readonly string[]): Promise<string> {
  const plain = path.join(root, ...names);
  try {
    await mkdir(plain, { recursive: true });
    return plain;
  } catch (error) {
    if (!hasCode(error, 'EEXIST', 'ENOTDIR')) throw error;
  }
  let folder = root;
  for (const name of names) {
    const next = path.join(folder, name);
    folder = (await makeOne(next)) ? next : next + marks.folder;
    await makeOne(folder);
  }
  return folder;
}

/** Makes one folder; false when an object has its name. */
async function makeOne(folder: string): Promise<boolean> {
  try {
    await mkdir(folder);
    return true;
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
    return (await kindAt(folder)) === 'folder';
  }
}

/** Whether a file system error has one of these codes. */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && codes.includes(String(error.code));
}
