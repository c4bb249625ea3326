import { BadInputError } from '../errors';
import { fileEvents } from './event-file';
import type { EventSink } from './events';

/**
 * Where the environment says that events go: BAVERLY_EVENT_BUS (an event bus of EventBridge) or, on one machine, a file in
 * BAVERLY_ROOT. With a bucket and no bus they go to stderr, one JSON object a line, and so into the log of the function.
 *
 * @throws BadInputError when neither a bus nor a storage is named
 */
export function eventsFromEnvironment(env: Readonly<Record<string, string | undefined>> = process.env): EventSink {
  const { BAVERLY_EVENT_BUS: bus, BAVERLY_ROOT: root, BAVERLY_BUCKET: bucket } = env;
  if (bus) {
    // Loaded when it is needed: the AWS SDK takes longer to load than the rest of a local run's start.
    const { eventBridgeEvents } = require('./event-bridge') as typeof import('./event-bridge');
    return eventBridgeEvents(bus);
  }
  if (root) return fileEvents(root);
  if (bucket) return logEvents;
  throw new BadInputError('environment', ['events have nowhere to go: set BAVERLY_EVENT_BUS or BAVERLY_ROOT']);
}

const logEvents: EventSink = {
  publish: async (events) => {
    for (const event of events) console.error(JSON.stringify(event));
  },
};
