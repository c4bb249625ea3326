import { accessSync, constants, existsSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import type { NamedBytes } from '../dataset/dataset';
import { BadInputError, messageOf } from '../errors';
import { failureKey, recordKey, requestKey, runPrefix } from '../pipeline/keys';
import { localRun } from './local-run';

/** A file of the user's, with its name for messages. */
export function readUserFile(file: string, what: string): NamedBytes {
  try {
    if (statSync(file).isDirectory()) throw new Error('is a folder: give the file');
    return { name: path.basename(file), bytes: readFileSync(file) };
  } catch (error) {
    throw new BadInputError(`${what} ${file}`, [missing(error) ? 'there is no such file' : messageOf(error)], {
      cause: error,
    });
  }
}

/** Whether the error of reading a file says that it is not there. */
function missing(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '');
}

/** The labels file that belongs to an IDX images file by its name (`t10k-images-idx3-ubyte.gz`), if it is there. */
export function siblingLabels(data: string): string | undefined {
  const name = path.basename(data);
  if (!/images[.-]idx3/.test(name)) return undefined;
  const labels = name.replace(/images([.-])idx3/, 'labels$1idx1');
  const candidates = [labels, labels.endsWith('.gz') ? labels.slice(0, -3) : `${labels}.gz`];
  return candidates.map((candidate) => path.join(path.dirname(data), candidate)).find((file) => existsSync(file));
}

/** Why a file cannot be written, or undefined when it seems that it can; nothing is written. */
export function unwritable(file: string): string | undefined {
  if (existsSync(file) && statSync(file).isDirectory()) return 'is a folder: give a file';
  const folder = path.dirname(path.resolve(file));
  if (!existsSync(folder)) return `cannot be written: there is no folder ${folder}`;
  return notAFolder(folder);
}

/** Refuses, before anything is made, a folder (an absolute path, given by an option) that cannot be written. */
export function checkWritable(folder: string, what = 'output folder', option = '--out'): void {
  let existing = folder;
  while (!existsSync(existing)) existing = path.dirname(existing);
  const problem = notAFolder(existing);
  if (problem !== undefined) throw new BadInputError(`${what} ${folder}`, [`${problem}; choose another ${option}`]);
}

/** Refuses, before anything is made, a folder that a new run cannot be kept in. */
export function checkOutput(folder: string): void {
  checkWritable(folder);
  if (stateOf(folder) === 'run') {
    throw new BadInputError(`output folder ${folder}`, [
      `holds a run already: finish it with ${command('resume', folder)}, or choose another --out`,
    ]);
  }
}

/** Makes the folder of a new run, without what a run that could not start left there. */
export function makeOutput(folder: string): void {
  try {
    makeFolder(folder);
    accessSync(folder, constants.W_OK | constants.X_OK);
    if (stateOf(folder) === 'never started') rmSync(path.join(folder, runPrefix(localRun)), { recursive: true });
  } catch (error) {
    throw new BadInputError(
      `output folder ${folder}`,
      [`cannot be written: ${messageOf(error)}; choose another --out`],
      {
        cause: error,
      },
    );
  }
}

/** With its parents. Node's own `recursive` (seen in 20.x) never returns where the file system answers ENOENT, as /proc does. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(path.dirname(folder));
  mkdirSync(folder);
}

function notAFolder(existing: string): string | undefined {
  if (!statSync(existing).isDirectory()) return `cannot be written: ${existing} is a file, not a folder`;
  try {
    accessSync(existing, constants.W_OK | constants.X_OK);
    return undefined;
  } catch {
    return `cannot be written: no permission to write in ${existing}`;
  }
}

/** `never started`: planning refused what was given, and nothing is there to go on with. */
function stateOf(folder: string): 'free' | 'never started' | 'run' {
  const has = (key: string): boolean => existsSync(path.join(folder, key));
  if (!has(runPrefix(localRun))) return 'free';
  return has(requestKey(localRun)) && has(failureKey(localRun)) && !has(recordKey(localRun)) ? 'never started' : 'run';
}

/** A path to copy: from the working folder where it is near, else absolute. */
export function shownPath(file: string): string {
  const shown = path.relative(process.cwd(), file) || '.';
  return shown.startsWith(path.join('..', '..')) ? path.resolve(file) : shown;
}

/** A command line to copy, e.g. `npx baverly resume 'my runs/one'`. */
export function command(name: string, folder: string): string {
  const nearer = shownPath(folder);
  const word = /^[\w@%+=:,./-]+$/.test(nearer) ? nearer : `'${nearer.replaceAll("'", "'\\''")}'`;
  return `npx baverly ${name} ${word}`;
}
