import { StatesError } from './errors';

/** Quotas of Step Functions that shape the state machine. */
export const limits = {
  /** Bytes of UTF-8 JSON of a state's input or output, a task's arguments or its result. */
  payloadBytes: 262_144,
  /** Events in the history of a Standard execution; an Express execution has no such limit. */
  historyEvents: 25_000,
  /** An Express execution is ended after five minutes. */
  expressSeconds: 300,
  /** Iterations of an inline Map at the same time. */
  inlineConcurrency: 40,
  /** Children of a Distributed Map at the same time. */
  distributedConcurrency: 10_000,
} as const;

/** The value itself, where its JSON fits a state; else `States.DataLimitExceeded`. */
export function withinPayloadLimit<T>(value: T, what: string): T {
  const bytes = Buffer.byteLength(JSON.stringify(value) ?? 'null');
  if (bytes <= limits.payloadBytes) return value;
  throw new StatesError(
    'States.DataLimitExceeded',
    `${what} has ${bytes} bytes, more than the ${limits.payloadBytes} that a state may hold`,
  );
}
