import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Cron } from 'croner';
import { z } from 'zod';
import { messageOf } from '../errors';
import { modelPrefix } from '../pipeline/keys';
import { dispatchAudit } from '../policy/audit';
import { type DispatchContext, dispatchUpload } from '../policy/dispatch';
import type { DispatchRecord } from '../policy/record';
import { fileStorage } from '../storage/files';
import { getJson } from '../storage/storage';
import { serveFolder } from './places';

/** What starts runs by itself: uploaded models and the clock. */
export interface Triggers {
  /**
   * An object was written. Returns when an upload of a model is noted on disk, so that it is dispatched at least once, by the next
   * server if this one ends before.
   */
  written(key: string): Promise<void>;
  /** Resolves when what is being dispatched is done. */
  close(): Promise<void>;
}

export interface TriggersOptions {
  readonly root: string;
  readonly context: DispatchContext;
  /** When audits are due (cron, UTC); undefined: never. */
  readonly nightly?: string;
  /** One audit at once, besides. */
  readonly auditNow?: boolean;
  readonly log: (line: string) => void;
  /** Milliseconds before a failed dispatch is tried again; by default a second, then ten. */
  readonly waits?: readonly number[];
}

const noteSchema = z.strictObject({ model: z.string() });

/** Starts the clock, and dispatches what the last server on this root left. Throws TypeError for a `nightly` that is no cron pattern. */
export async function startTriggers(options: TriggersOptions): Promise<Triggers> {
  const { root, context, nightly, auditNow = false, log, waits = [1_000, 10_000] } = options;
  const notes = fileStorage(serveFolder(root));
  const closing = new AbortController();
  const underway = new Set<Promise<void>>();

  function follow(what: string, dispatch: () => Promise<DispatchRecord>, done: () => Promise<void>): void {
    const work = (async () => {
      for (let attempt = 0; !closing.signal.aborted; attempt++) {
        try {
          for (const line of outcome(what, await dispatch())) log(line);
          return await done();
        } catch (error) {
          log(`${what} could not be dispatched: ${messageOf(error)}`);
          if (attempt >= waits.length) return;
          await delay(waits[attempt], undefined, { signal: closing.signal }).catch(() => {});
        }
      }
    })().catch((error) => log(`${what}: ${messageOf(error)}`));
    underway.add(work);
    void work.finally(() => underway.delete(work));
  }

  function upload(model: string, note: string): void {
    const done = () => rm(path.join(serveFolder(root), note), { force: true });
    follow(`upload of ${model}`, () => dispatchUpload({ model }, context), done);
  }

  function audit(time: number): void {
    // To the second, which is what a pattern says.
    const scheduled = new Date(Math.floor(time / 1000) * 1000).toISOString();
    follow(
      `audit of ${scheduled}`,
      () => dispatchAudit({ scheduled }, context),
      async () => {},
    );
  }

  const clock =
    nightly === undefined
      ? undefined
      : new Cron(nightly, { timezone: 'UTC' }, (cron: Cron) => {
          audit(cron.currentRun()?.getTime() ?? Date.now());
        });
  if (auditNow) audit(Date.now());

  for (const { key } of await notes.list('uploads-to-dispatch/')) {
    upload(noteSchema.parse(await getJson(notes, key)).model, key);
  }

  return {
    async written(key) {
      if (!key.startsWith(modelPrefix) || !key.endsWith('.onnx')) return;
      const note = `uploads-to-dispatch/${createHash('sha256').update(key).digest('hex')}.json`;
      await notes.put(note, JSON.stringify({ model: key }));
      upload(key, note);
    },
    async close() {
      clock?.stop();
      closing.abort();
      await Promise.all(underway);
    },
  };
}

function outcome(what: string, { runs, problems }: DispatchRecord): string[] {
  const started = runs.map(({ run, state }) => `${what}: run ${run} ${state === 'started' ? 'starts' : 'exists'}`);
  return [...started, ...problems.map((problem) => `${what}: ${problem}`)];
}
