import { readdir, realpath, stat } from 'node:fs/promises';
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
  await walk({ folder: await findFolder(root, names), text: start, names, above: [] }, prefix, found);
  return found.sort((a, b) => compareKeys(a.key, b.key));
}

interface Place {
  readonly folder: string;
  /** What the keys of everything below begin with. */
  readonly text: string;
  /** The unmarked file names on the way here. */
  readonly names: readonly string[];
  /** Real paths of the folders on the way here: a linked folder that leads back to one of them is not entered. */
  readonly above: readonly string[];
}

async function walk(place: Place, prefix: string, found: StoredObject[]): Promise<void> {
  const real = await unlessGone(realpath(place.folder));
  if (real === undefined || place.above.includes(real)) return;
  const above = [...place.above, real];
  const kinds = await entriesOf(place.folder);
  const objects: { readonly key: string; readonly file: string }[] = [];
  for (const [name, kind] of kinds) {
    if (kind === 'folder') {
      if (place.names.length === 0 && name === temporaryFolder) continue;
      const plain = withoutMark(name, marks.folder);
      if (plain !== name && kinds.get(plain) !== 'object') continue;
      const text = place.text + textOfFolder(name);
      const below = { folder: path.join(place.folder, name), text, names: [...place.names, plain], above };
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
    const about = await Promise.all(objects.slice(i, i + atOnce).map(({ file }) => unlessGone(stat(file))));
    for (const [j, stats] of about.entries()) {
      if (stats) found.push({ key: objects[i + j].key, size: stats.size });
    }
  }
}

/** Whether `get(key)` looks at just this path: files that people put here may have names that no key has. */
function isNamed(key: string, names: readonly string[]): boolean {
  return problemOfKey(key) === undefined && diskNames(key).join('/') === names.join('/');
}

async function entriesOf(folder: string): Promise<Map<string, 'folder' | 'object'>> {
  const kinds = new Map<string, 'folder' | 'object'>();
  for (const entry of (await unlessGone(readdir(folder, { withFileTypes: true }))) ?? []) {
    const about = entry.isSymbolicLink() ? await unlessGone(stat(path.join(folder, entry.name))) : entry;
    if (about?.isDirectory()) kinds.set(entry.name, 'folder');
    else if (about?.isFile()) kinds.set(entry.name, 'object');
  }
  return kinds;
}

/** Undefined for what is not there or vanished meanwhile, and for links that lead nowhere or in circles. */
async function unlessGone<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return undefined;
    throw error;
  }
}
