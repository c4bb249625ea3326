import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { BadInputError } from '../errors';
import { hasCode } from '../storage/disk-places';
import { serveFolder } from './places';

/**
 * Makes this process the only server of a root; gives what ends that. A server that was killed leaves its lock, which is taken
 * over when its process is gone.
 *
 * @throws BadInputError when another process serves the root
 */
export async function lockRoot(root: string): Promise<() => Promise<void>> {
  const file = path.join(serveFolder(root), 'server.pid');
  await mkdir(serveFolder(root), { recursive: true });
  for (let attempt = 1; ; attempt++) {
    if (await take(file)) return () => rm(file, { force: true });
    const pid = await pidIn(file);
    if (attempt > 3 || isAlive(pid)) throw served(root, file, pid);
    // Set aside rather than removed: a server that took the lock over meanwhile must not lose it.
    const aside = `${file}.${randomUUID()}`;
    await rename(file, aside).catch(() => {});
    const taken = await pidIn(aside);
    if (isAlive(taken)) await link(aside, file).catch(() => {});
    await rm(aside, { force: true });
    if (isAlive(taken)) throw served(root, file, taken);
  }
}

function served(root: string, file: string, pid: number): BadInputError {
  const advice = `end it first; if process ${pid} is something else, remove ${file}`;
  return new BadInputError(`root ${root}`, [`is served by another process (${pid}): ${advice}`]);
}

/** Makes the lock, with its content, in one step; false when there is one. */
async function take(file: string): Promise<boolean> {
  const written = `${file}.${randomUUID()}`;
  await writeFile(written, String(process.pid));
  try {
    await link(written, file);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  } finally {
    await rm(written, { force: true });
  }
}

/** Not a number where there is no lock. */
async function pidIn(file: string): Promise<number> {
  return Number.parseInt(await readFile(file, 'utf8').catch(() => ''), 10);
}

function isAlive(pid: number): boolean {
  // In a container every server may have the number of the one before.
  if (!Number.isSafeInteger(pid) || pid <= 0 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return hasCode(error, 'EPERM');
  }
}
