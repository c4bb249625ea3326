import path from 'node:path';
import { messageOf } from '../errors';
import { modelHash } from '../network/hash';
import { learnedKey } from '../pipeline/keys';
import { fileStorage } from '../storage/files';
import { MissingKeyError, type Storage } from '../storage/storage';

/**
 * Local runs keep what they learned about sizes beside their folders, in `.baverly/learned/<model hash>.json`: runs of one model whose
 * folders lie side by side, as they do below `baverly-runs/`, are each the prior of the next, as in a bucket. Whether it can be read or
 * written costs or saves time, and decides no verdict.
 */
function besideRun(folder: string): Storage {
  return fileStorage(path.join(path.dirname(path.resolve(folder)), '.baverly'));
}

/** Puts what earlier runs learned of the model where a new run looks for it. Nothing where there is nothing that can be read. */
export async function takeLearned(folder: string, model: Uint8Array): Promise<void> {
  const key = learnedKey(modelHash(model));
  try {
    await fileStorage(folder).put(key, await besideRun(folder).get(key));
  } catch (error) {
    if (!(error instanceof MissingKeyError)) complain(error);
  }
}

/** Keeps what a run has learned for the next one. */
export async function keepLearned(folder: string): Promise<void> {
  try {
    const own = fileStorage(folder);
    for (const { key } of await own.list('learned/')) await besideRun(folder).put(key, await own.get(key));
  } catch (error) {
    complain(error);
  }
}

/** The folders are the user's: where they cannot be written the run is none the worse. Told only to who looks for it. */
function complain(error: unknown): void {
  if (process.env.BAVERLY_DEBUG) console.error(`what was learned is not shared: ${messageOf(error)}`);
}
