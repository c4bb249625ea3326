import { createHash } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { open, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { contentType } from '../../storage/content-type';
import { diskNames, marks } from '../../storage/disk-names';
import { findObject as findFile, hasCode, kindAt } from '../../storage/disk-places';
import { fileStorage } from '../../storage/files';
import { compareKeys, problemOfKey } from '../../storage/keys';
import { getJson, MissingKeyError, type Storage } from '../../storage/storage';
import { type Headers, ServiceError } from '../http/message';
import { createLocks } from '../locks';
import { serveFolder } from '../places';
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

  const fileOf = (key: string): Promise<string> => findFile(path.resolve(root), diskNames(key));

  async function infoOf(key: string): Promise<ObjectInfo | undefined> {
    if (problemOfKey(key) !== undefined) return undefined;
    const stats = await statsOf(await fileOf(key));
    return stats && { key, size: Number(stats.size), etag: etagOf(stats), modified: stats.mtime };
  }

  return {
    async find(key) {
      const info = await infoOf(key);
      if (info === undefined) return undefined;
      const headers = await headersOf(kept, key, info.etag);
      return { ...info, headers, read: async (start, end) => readVersion(await fileOf(key), info.etag, start, end) };
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
        await rm(path.join(serveFolder(root), ...diskNames(aboutKey(key))), { force: true });
      });
    },

    async list(prefix) {
      if (problemOfPrefix(prefix)) return [];
      const objects = await storage.list(prefix);
      return objects.sort((a, b) => compareKeys(a.key, b.key)).map(({ key }) => ({ key, info: () => infoOf(key) }));
    },
  };
}

const problemOfPrefix = (prefix: string): boolean => prefix !== '' && problemOfKey(`${prefix}x`) !== undefined;

const aboutKey = (key: string): string => `objects/${createHash('sha256').update(key).digest('hex')}.json`;

function etagOf({ ino, size, mtimeNs }: BigIntStats): string {
  return `"${[ino, size, mtimeNs].map((value) => value.toString(16)).join('-')}"`;
}

async function statsOf(file: string): Promise<BigIntStats | undefined> {
  try {
    const stats = await stat(file, { bigint: true });
    return stats.isFile() ? stats : undefined;
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

/** A part of the file, if it still is this version; otherwise an error that makes clients ask again. */
async function readVersion(file: string, etag: string, start: number, end: number): Promise<Uint8Array> {
  const changed = new ServiceError(503, 'ServiceUnavailable', 'The object changed while it was read; try again');
  const handle = await open(file, 'r').catch(() => {
    throw changed;
  });
  try {
    if (etagOf(await handle.stat({ bigint: true })) !== etag) throw changed;
    const bytes = new Uint8Array(end - start);
    for (let done = 0; done < bytes.length; ) {
      const { bytesRead } = await handle.read(bytes, done, bytes.length - done, start + done);
      if (bytesRead === 0) throw changed;
      done += bytesRead;
    }
    return bytes;
  } finally {
    await handle.close();
  }
}
