import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
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
    try {
      await writeFile(file, String(process.pid), { flag: 'wx' });
      return () => rm(file, { force: true });
    } catch (error) {
      if (!hasCode(error, 'EEXIST')) throw error;
    }
    const pid = Number(await readFile(file, 'utf8').catch(() => ''));
    if (attempt > 3 || isAlive(pid)) {
      const advice = `end it first; if process ${pid} is something else, remove ${file}`;
      throw new BadInputError(`root ${root}`, [`is served by another process (${pid}): ${advice}`]);
    }
    await rm(file, { force: true });
  }
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
