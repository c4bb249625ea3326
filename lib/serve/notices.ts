import { open, stat } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { messageOf } from '../errors';
import { eventFile } from '../policy/event-file';
import { notifiedTypes } from '../policy/events';
import { createLocks } from './locks';

/** Tells what policies have to tell: the place of the notifications that the deployed stack sends. */
export interface Notices {
  /** Tells what was published since the last look; each event once, although it may be published twice. Never rejects. */
  look(): Promise<void>;
}

const eventSchema = z.object({
  id: z.string(),
  type: z.string(),
  message: z.string(),
  notify: z.array(z.string()).default([]),
});

/** Begins at the end of the events in the root: what is there was told by the servers before. */
export async function openNotices(root: string, log: (line: string) => void): Promise<Notices> {
  const file = path.join(root, eventFile);
  const locks = createLocks();
  const told = new Set<string>();
  let position = await stat(file).then(
    ({ size }) => size,
    () => 0,
  );
  async function look(): Promise<void> {
    const text = await textFrom(file, position);
    // A line that is being written is for the next look.
    const whole = text.subarray(0, text.lastIndexOf('\n') + 1);
    position += whole.length;
    for (const line of whole.toString().split('\n').filter(Boolean)) tell(line);
  }
  function tell(line: string): void {
    const { data: event } = eventSchema.safeParse(parsed(line));
    if (event === undefined || told.has(event.id) || !notified.has(event.type)) return;
    told.add(event.id);
    const who = event.notify.length === 0 ? 'the operator' : event.notify.join(', ');
    log(`notification to ${who}: ${event.type}: ${event.message}`);
  }
  return {
    look: () => locks.hold(file, look).catch((error) => log(`${file} cannot be read: ${messageOf(error)}`)),
  };
}

const notified: ReadonlySet<string> = new Set(notifiedTypes);

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** What the file holds from a byte on; nothing where there is no file. */
async function textFrom(file: string, position: number): Promise<Buffer> {
  const handle = await open(file, 'r').catch(() => undefined);
  if (handle === undefined) return Buffer.alloc(0);
  try {
    const { size } = await handle.stat();
    const bytes = Buffer.alloc(Math.max(0, size - position));
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, position);
    return bytes.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
