import { EventBridgeClient, PutEventsCommand, type PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';
import { type EventSink, eventSource, type PolicyEvent } from './events';

/** Entries that PutEvents takes at once. */
const perCall = 10;

/** Problems that an event lists: an entry may have 262,144 bytes, and the record has all. */
const mostProblems = 20;
const longestProblem = 1_000;

/** Events that EventBridge did not take. */
export class EventsNotDeliveredError extends Error {
  override readonly name = 'EventsNotDeliveredError';
}

/**
 * Publishes to an event bus (name or ARN), each event under its type, with its fields as detail. Throws
 * EventsNotDeliveredError where EventBridge refuses some, and what the SDK throws where it cannot be reached.
 */
export function eventBridgeEvents(
  bus: string,
  client: Pick<EventBridgeClient, 'send'> = new EventBridgeClient(),
): EventSink {
  return {
    async publish(events) {
      for (let start = 0; start < events.length; start += perCall) {
        const Entries = events.slice(start, start + perCall).map((event) => entryOf(bus, event));
        const answer = await client.send(new PutEventsCommand({ Entries }));
        if ((answer.FailedEntryCount ?? 0) === 0) continue;
        const reasons = (answer.Entries ?? []).flatMap(({ ErrorCode, ErrorMessage }) =>
          ErrorCode === undefined ? [] : [`${ErrorCode}: ${ErrorMessage ?? ''}`],
        );
        throw new EventsNotDeliveredError(`${answer.FailedEntryCount} events were not taken: ${reasons.join('; ')}`);
      }
    },
  };
}

function entryOf(bus: string, event: PolicyEvent): PutEventsRequestEntry {
  const { type, at, problems, ...rest } = event;
  const short = problems?.slice(0, mostProblems).map((problem) => problem.slice(0, longestProblem));
  return {
    EventBusName: bus,
    Source: eventSource,
    DetailType: type,
    Time: new Date(at),
    Detail: JSON.stringify({ ...rest, at, ...(short && { problems: short }) }),
  };
}
