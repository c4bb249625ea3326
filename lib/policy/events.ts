import { createHash } from 'node:crypto';

/** What happened, as EventBridge's `detail-type` names it. All but `Run Finished` are told to people. */
const eventTypes = [
  'Run Finished',
  'Run Failed',
  'Threshold Crossed',
  'Verdicts Contradict',
  'Model Not Verified',
  'Policy Refused',
] as const;
type EventType = (typeof eventTypes)[number];

/** `source` of all events on EventBridge (the rule in cdk/constructs/notifications.ts matches it). */
export const eventSource = 'baverly';

/** The event types that people are notified of (the rule in cdk/constructs/notifications.ts). */
export const notifiedTypes: readonly EventType[] = eventTypes.filter((type) => type !== 'Run Finished');

/** Something that a policy's owner wants to know. */
export interface PolicyEvent {
  /** A function of what happened: the same in a second delivery, by which a receiver tells it from news. */
  readonly id: string;
  readonly type: EventType;
  /** ISO 8601. */
  readonly at: string;
  /** One sentence for people. */
  readonly message: string;
  /** E-mail addresses of who is told: the `notify` of the policy; empty where no policy is concerned. */
  readonly notify: readonly string[];
  readonly policy?: string;
  /** Storage key. */
  readonly model?: string;
  readonly run?: string;
  /** Every problem, of an event about a failure. */
  readonly problems?: readonly string[];
  /** Of `Threshold Crossed`. */
  readonly threshold?: {
    readonly name: string;
    readonly direction: 'below' | 'above';
    readonly limit: number;
    readonly value: number;
    readonly previous?: number;
  };
}

/** Where events go: EventBridge, or a file in the root. Events are delivered at least once. */
export interface EventSink {
  /** Throws where one of them could not be delivered. */
  publish(events: readonly PolicyEvent[]): Promise<void>;
}

/** An event whose id is a function of `about` and its type. */
export function policyEvent(about: readonly string[], event: Omit<PolicyEvent, 'id'>): PolicyEvent {
  const digest = createHash('sha256').update(JSON.stringify([event.type, ...about]));
  return { ...event, id: digest.digest('hex').slice(0, 32) };
}
