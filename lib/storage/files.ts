import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readdir, readFile, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { listObjects } from './disk-list';
import { diskNames, marks, temporaryFolder } from './disk-names';
import { findObject, hasCode, kindAt, makeFolder } from './disk-places';
import { checkKey, checkPrefix } from './keys';
import { checkRange, MissingKeyError, rangeBeyondEnd, type Storage } from './storage';

/** A temporary file this old (in milliseconds) belongs to a process that was killed. */
const abandoned = 24 * 60 * 60 * 1000;

/**
 * Objects as files below a folder, which is made when the first object is written. `runs/x/report.json` is that very file;
 * disk-names.ts says how unusual keys are written. Safe for any number of processes on one machine: a body is written
 * and flushed under a temporary name on the same file system and then gets its name by one `rename` (put) or `link`
 * (putIfAbsent), so that neither a killed process nor a power cut leaves a part of a body under a key.
 *
 * @param root the folder; relative to the current directory
 */
export function fileStorage(root: string): Storage {
  const folder = path.resolve(root);
  let prepared: Promise<string> | undefined;

  async function write(body: Uint8Array | string): Promise<string> {
    try {
      return await writeOnce(body);
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error;
      // Another process was done with the storage, and took the folder away.
      prepared = undefined;
      return await writeOnce(body);
    }
  }

  async function writeOnce(body: Uint8Array | string): Promise<string> {
    prepared ??= prepareTemporaryFolder(folder).catch((error) => {
      prepared = undefined;
      throw error;
    });
    const file = path.join(await prepared, randomUUID());
    try {
      await writeFile(file, body, { flag: 'wx', flush: true });
    } catch (error) {
      await rm(file, { force: true });
      throw error;
    }
    return file;
  }

  return {
    location: folder,

    async get(key) {
      checkKey(key);
      return await reading(folder, key, async (file) => {
        const body = await readFile(file);
        return new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
      });
    },

    async getRange(key, start, end) {
      checkKey(key);
      checkRange(start, end);
      return await reading(folder, key, (file) => readRange(key, file, start, end));
    },

    async put(key, body) {
      checkKey(key);
      await writing(folder, key, () => write(body), replace);
    },

    async putIfAbsent(key, body) {
      checkKey(key);
      return await writing(folder, key, () => write(body), linkIfFree);
    },

    async list(prefix) {
      checkPrefix(prefix);
      return await listObjects(folder, prefix);
    },
  };
}

/** Makes the folder for temporary files, and empties it of what killed processes left behind. */
async function prepareTemporaryFolder(root: string): Promise<string> {
  const folder = path.join(root, temporaryFolder);
  await mkdir(folder, { recursive: true });
  for (const name of await readdir(folder)) {
    const file = path.join(folder, name);
    const age = await stat(file).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0,
    );
    if (age > abandoned) await rm(file, { force: true });
  }
  return folder;
}

/** Takes the folder for temporary files away when a storage on disk is done with, unless there are some: others may be writing. */
export async function tidyFolder(root: string): Promise<void> {
  try {
    await rmdir(path.join(root, temporaryFolder));
  } catch (error) {
    if (!hasCode(error, 'ENOENT', 'ENOTEMPTY', 'EEXIST')) throw error;
  }
}

/** Reads at the plain path, and only where that is not a file looks at what has its name. */
async function reading<T>(root: string, key: string, read: (file: string) => Promise<T>): Promise<T> {
  const names = diskNames(key);
  try {
    return await read(path.join(root, ...names));
  } catch (error) {
    // With every folder on the way being one, a plain name that is free means that the object is nowhere.
    if (hasCode(error, 'ENOENT')) throw new MissingKeyError(key);
    if (!hasCode(error, 'ENOTDIR', 'EISDIR')) throw error;
  }
  try {
    return await read(await findObject(root, names));
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) throw new MissingKeyError(key);
    throw error;
  }
}

async function readRange(key: string, file: string, start: number, end: number): Promise<Uint8Array> {
  const handle = await open(file, 'r');
  try {
    const about = await handle.stat();
    // Unlike `read`, `open` and `stat` work on a folder.
    if (about.isDirectory()) throw Object.assign(new Error(`${file} is a folder`), { code: 'EISDIR' });
    if (start >= about.size) throw rangeBeyondEnd(key, start, about.size);
    const bytes = new Uint8Array(Math.min(end, about.size) - start);
    let done = 0;
    while (done < bytes.length) {
      const { bytesRead } = await handle.read(bytes, done, bytes.length - done, start + done);
      if (bytesRead === 0) throw new Error(`${file} was cut short while it was read`);
      done += bytesRead;
    }
    return bytes;
  } finally {
    await handle.close();
  }
}

/** Writes the body to a temporary file and hands it to `name`, which gives it the object's name. */
async function writing<T>(
  root: string,
  key: string,
  write: () => Promise<string>,
  name: (temporary: string, plain: string) => Promise<T>,
): Promise<T> {
  const names = diskNames(key);
  const temporary = await write();
  try {
    const folder = await makeFolder(root, names.slice(0, -1));
    return await name(temporary, path.join(folder, names[names.length - 1]));
  } finally {
    await rm(temporary, { force: true });
  }
}

async function replace(temporary: string, plain: string): Promise<void> {
  try {
    await rename(temporary, plain);
  } catch (error) {
    if ((await kindAt(plain)) !== 'folder') throw error;
    await rename(temporary, plain + marks.object);
  }
}

async function linkIfFree(temporary: string, plain: string): Promise<boolean> {
  if (await linked(temporary, plain)) return true;
  return (await kindAt(plain)) === 'folder' && (await linked(temporary, plain + marks.object));
}

/** Gives a file a second name; false when that is taken. */
async function linked(file: string, name: string): Promise<boolean> {
  try {
    await link(file, name);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    if (!hasCode(error, 'EPERM', 'ENOTSUP', 'ENOSYS')) throw error;
    const advice = 'the file system has no hard links, which decide between concurrent writers; use another folder';
    throw new Error(`cannot link ${name}: ${advice}`, { cause: error });
  }
}
