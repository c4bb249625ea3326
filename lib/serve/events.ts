import { appendFile, mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { EventSink } from '../policy/events';

/** Events of a root as lines of its `events.jsonl`. */
export function fileEvents(root: string): EventSink {
  return {
    async publish(events) {
      await mkdir(root, { recursive: true });
      const lines = events.map((event) => `${JSON.stringify(event)}\n`).join('');
      await appendFile(path.join(root, 'events.jsonl'), lines);
    },
  };
}
