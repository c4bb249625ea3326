import type { Box } from '../region/box';
import type { Violation } from '../region/violation';
import type { UnknownReason, Verdict } from '../verdict';

/** A ball of a mini-batch, or a property: a box and what must not happen on it. */
export interface Member {
  readonly box: Box;
  readonly violation: Violation;
  /** Decides the random starts of its attack; the same in whatever mini-batch it is. */
  readonly seed: number;
  /** Where the search of an earlier attempt stopped (lib/search/checkpoint.ts); one that is damaged, or about something else, counts as none. */
  readonly checkpoint?: Uint8Array;
}

/** What a mini-batch found out about a member. `open`: another attempt may settle it. */
export type MemberOutcome = Finding & { readonly cpuSeconds: number };
/** What is found out about a member, without its cost. */
export type Finding =
  | Extract<Verdict, { verdict: 'robust' | 'not-robust' }>
  | {
      readonly verdict: 'open';
      readonly reason: UnknownReason;
      readonly margin?: number;
      /** Where the search stopped, for the next attempt. */
      readonly checkpoint?: Uint8Array;
    };
