import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { diskNames, marks, temporaryFolder, textOfFolder, textOfObject, withoutMark } from './disk-names';
import { findFolder, hasCode } from './disk-places';
import { compareKeys, problemOfKey } from './keys';
import type { StoredObject } from './storage';

/** How many files are looked at at a time. */
const atOnce = 64;

/** The objects below a root folder whose keys have the prefix, in ascending order of their UTF-8 bytes. */
export async function listObjects(root: string, prefix: string): Promise<StoredObject[]> {
  const start = prefix.slice(0, prefix.lastIndexOf('/') + 1);
  const names = start === '' ? [] : diskNames(start.slice(0, -1));
  const found: StoredObject[] = [];
  await walk({ folder: await findFolder(root, names), text: start, names }, prefix, found);
  return found.sort((a, b) => compareKeys(a.key, b.key));
}

interface Place {
  readonly folder: string;
  /** What the keys of everything below begin with. */
  readonly text: string;
  /** The unmarked file names on the way here. */
  readonly names: readonly string[];
}

async function walk(place: Place, prefix: string, found: StoredObject[]): Promise<void> {
  const kinds = await entriesOf(place.folder);
  const objects: { readonly key: string; readonly file: string }[] = [];
  for (const [name, kind] of kinds) {
    if (kind === 'folder') {
      if (place.names.length === 0 && name === temporaryFolder) continue;
      const plain = withoutMark(name, marks.folder);
      if (plain !== name && kinds.get(plain) !== 'object') continue;
      const text = place.text + textOfFolder(name);
      const below = { folder: path.join(place.folder, name), text, names: [...place.names, plain] };
      if (text.startsWith(prefix) || prefix.startsWith(text)) await walk(below, prefix, found);
    } else {
      const plain = withoutMark(name, marks.object);
      if (plain !== name && kinds.get(plain) !== 'folder') continue;
      const key = place.text + textOfObject(name);
      if (key.startsWith(prefix) && isNamed(key, [...place.names, plain])) {
        objects.push({ key, file: path.join(place.folder, name) });
      }
    }
  }
  for (let i = 0; i < objects.length; i += atOnce) {
    const sizes = await Promise.all(objects.slice(i, i + atOnce).map(({ file }) => sizeOf(file)));
    for (const [j, size] of sizes.entries()) {
      if (size !== undefined) found.push({ key: objects[i + j].key, size });
    }
  }
}

/** Whether `get(key)` looks at just this path: files that people put here may have names that no key has. */
function isNamed(key: string, names: readonly string[]): boolean {
  return problemOfKey(key) === undefined && diskNames(key).join('/') === names.join('/');
}

async function entriesOf(folder: string): Promise<Map<string, 'folder' | 'object'>> {
  const kinds = new Map<string, 'folder' | 'object'>();
  try {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      if (entry.isDirectory()) kinds.set(entry.name, 'folder');
      else if (entry.isFile()) kinds.set(entry.name, 'object');
      else if (entry.isSymbolicLink()) {
        const target = await statOf(path.join(folder, entry.name));
        if (target) kinds.set(entry.name, target.isDirectory() ? 'folder' : 'object');
      }
    }
  } catch (error) {
    if (!hasCode(error, 'ENOENT', 'ENOTDIR')) throw error;
  }
  return kinds;
}

async function sizeOf(file: string): Promise<number | undefined> {
  return (await statOf(file))?.size;
}

/** Undefined for what vanished meanwhile, and for links that lead nowhere or in circles. */
async function statOf(file: string) {
  try {
    return await stat(file);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return undefined;
    throw error;
  }
}
