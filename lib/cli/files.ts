import { accessSync, constants, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import type { NamedBytes } from '../dataset/dataset';
import { BadInputError, messageOf } from '../errors';

/** A file of the user's, with its name for messages. */
export function readUserFile(file: string, what: string): NamedBytes {
  try {
    if (statSync(file).isDirectory()) throw new Error('it is a folder');
    return { name: path.basename(file), bytes: readFileSync(file) };
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new BadInputError(`${what} ${file}`, [missing ? 'there is no such file' : messageOf(error)], {
      cause: error,
    });
  }
}

/** The labels file that belongs to an IDX images file by its name (`t10k-images-idx3-ubyte.gz`), if it is there. */
export function siblingLabels(data: string): string | undefined {
  const name = path.basename(data);
  if (!/images[.-]idx3/.test(name)) return undefined;
  const labels = name.replace(/images([.-])idx3/, 'labels$1idx1');
  const candidates = [labels, labels.endsWith('.gz') ? labels.slice(0, -3) : `${labels}.gz`];
  return candidates.map((candidate) => path.join(path.dirname(data), candidate)).find((file) => existsSync(file));
}

/** Makes the folder of a new run: it must be writable, and must not hold a run already. */
export function prepareOutput(folder: string): void {
  const subject = `output folder ${folder}`;
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new BadInputError(subject, [`cannot be written: ${messageOf(error)}`], { cause: error });
  }
  if (existsSync(path.join(folder, 'runs')) && readdirSync(path.join(folder, 'runs')).length > 0) {
    throw new BadInputError(subject, [
      `holds a run already: finish it with \`npx baverly resume ${folder}\`, or choose another --out`,
    ]);
  }
}
