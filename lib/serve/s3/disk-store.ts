import { createHash } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { type FileHandle, open, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { contentType } from '../../storage/content-type';
import { diskNames, marks } from '../../storage/disk-names';
import { findObject as findFile, hasCode, kindAt } from '../../storage/disk-places';
import { fileStorage } from '../../storage/files';
import { checkPrefix, problemOfKey } from '../../storage/keys';
import { getJson, MissingKeyError, type Storage } from '../../storage/storage';
import { type Headers, ServiceError } from '../http/message';
import { createLocks } from '../locks';
import { serveFolder } from '../places';
import { createListings } from './listings';
import { noSuchKey, type ObjectInfo, type ObjectStore, preconditionFailed, sameEtag } from './store';

const aboutSchema = z.strictObject({ etag: z.string(), headers: z.record(z.string(), z.string()) });

/**
 * A bucket on the same files as `fileStorage(root)`, which functions and people read and write beside it. What a request said
 * of an object (content type, metadata, checksums) lies apart, with the version that it belongs to, so that it does not outlive
 * it. A version is a file's inode, size and time: every put makes a new file.
 *
 * Keys that `fileStorage` refuses cannot be written here (InvalidArgument) and are not found.
 */
export function diskStore(root: string): ObjectStore {
  const storage = fileStorage(root);
  const kept = fileStorage(serveFolder(root));
  const locks = createLocks();
  const listings = createListings(async (prefix) => (await storage.list(prefix)).map(({ key }) => key));

  const fileOf = (key: string): Promise<string> => findFile(path.resolve(root), diskNames(key));

  async function infoOf(key: string): Promise<ObjectInfo | undefined> {
    if (problemOfKey(key) !== undefined) return undefined;
    // Nearly every key is its own path, and then one look is enough.
    const plain = path.resolve(root, ...diskNames(key));
    const stats = (await statsOf(plain)) ?? (await statsOf(await fileOf(key)));
    return stats && aboutFile(key, stats);
  }

  return {
    info: infoOf,

    async find(key) {
      const handle = problemOfKey(key) === undefined ? await openFile(await fileOf(key)) : undefined;
      if (handle === undefined) return undefined;
      try {
        const info = aboutFile(key, await handle.stat({ bigint: true }));
        const headers = await headersOf(kept, key, info.etag);
        return { ...info, headers, read: (start, end) => readPart(handle, start, end), close: () => handle.close() };
      } catch (error) {
        await handle.close();
        throw error;
      }
    },

    async write(key, body, headers, { ifNoneMatch, ifMatch }) {
      const problem = problemOfKey(key);
      if (problem !== undefined) throw new ServiceError(400, 'InvalidArgument', `The key ${problem}`);
      return locks.hold(key, async () => {
        if (ifMatch !== undefined) {
          const there = await infoOf(key);
          if (there === undefined) throw noSuchKey(key);
          if (!sameEtag(there.etag, ifMatch)) throw preconditionFailed('If-Match');
        }
        if (ifNoneMatch === undefined) await storage.put(key, body);
        else if (!(await storage.putIfAbsent(key, body))) throw preconditionFailed('If-None-Match');
        listings.forget();
        const info = await infoOf(key);
        if (info === undefined) throw new ServiceError(503, 'ServiceUnavailable', `${key} is gone again; try again`);
        await kept.put(aboutKey(key), JSON.stringify({ etag: info.etag, headers }));
        return info;
      });
    },

    async remove(key) {
      if (problemOfKey(key) !== undefined) return;
      await locks.hold(key, async () => {
        const file = await fileOf(key);
        if ((await kindAt(file + marks.folder)) === 'folder') {
          // With the plain name free again, what is below the marked folder would be looked for below the plain one.
          throw new ServiceError(
            501,
            'NotImplemented',
            `${key} cannot be deleted: there are, or were, objects ${key}/...`,
          );
        }
        if ((await kindAt(file)) === 'object') await rm(file, { force: true });
        listings.forget();
        await rm(path.join(serveFolder(root), ...diskNames(aboutKey(key))), { force: true });
      });
    },

    async list(prefix, continued) {
      if (!isPrefix(prefix)) return [];
      const keys = await listings.keys(prefix, continued);
      return keys.map((key) => ({ key, info: () => infoOf(key) }));
    },
  };
}

/** Whether keys can begin so. */
function isPrefix(text: string): boolean {
  try {
    checkPrefix(text);
    return true;
  } catch {
    return false;
  }
}

const aboutKey = (key: string): string => `objects/${createHash('sha256').update(key).digest('hex')}.json`;

function aboutFile(key: string, { ino, size, mtimeNs, mtime }: BigIntStats): ObjectInfo {
  const etag = `"${[ino, size, mtimeNs].map((value) => value.toString(16)).join('-')}"`;
  return { key, size: Number(size), etag, modified: mtime };
}

/** Undefined where there is no file. */
async function openFile(file: string): Promise<FileHandle | undefined> {
  return (await statsOf(file)) && unlessMissing(open(file, 'r'));
}

async function statsOf(file: string): Promise<BigIntStats | undefined> {
  const stats = await unlessMissing(stat(file, { bigint: true }));
  return stats?.isFile() ? stats : undefined;
}

async function unlessMissing<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return undefined;
    throw error;
  }
}

/** What was said of this version when it was written; of one that was not written by a request, what its name tells. */
async function headersOf(kept: Storage, key: string, etag: string): Promise<Headers> {
  try {
    const about = aboutSchema.parse(await getJson(kept, aboutKey(key)));
    if (about.etag === etag) return about.headers;
  } catch (error) {
    if (!(error instanceof MissingKeyError)) throw error;
  }
  return { 'content-type': contentType(key) };
}

async function readPart(handle: FileHandle, start: number, end: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(end - start);
  for (let done = 0; done < bytes.length; ) {
    const { bytesRead } = await handle.read(bytes, done, bytes.length - done, start + done);
    // Written over in place, by someone who does not know of versions.
    if (bytesRead === 0) throw new ServiceError(503, 'ServiceUnavailable', 'The file was cut short; try again');
    done += bytesRead;
  }
  return bytes;
}
