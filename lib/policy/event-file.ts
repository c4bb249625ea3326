import { appendFile, mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { EventSink } from './events';

/** Name of the file of events in the root of a file storage. */
export const eventFile = 'events.jsonl';

/** Appends events to a file in the root, one JSON object a line: what stands for EventBridge on one machine. */
export function fileEvents(root: string): EventSink {
  return {
    async publish(events) {
      if (events.length === 0) return;
      await mkdir(root, { recursive: true });
      // One append, so that lines of several processes stay whole.
      await appendFile(path.join(root, eventFile), events.map((event) => `${JSON.stringify(event)}\n`).join(''));
    },
  };
}
