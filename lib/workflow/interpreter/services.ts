import type { Storage } from '../../storage/storage';
import type { Clock } from './clock';

/** What the state machine calls. Failures are StatesErrors, named as the service integration names them on AWS. */
export interface Services {
  /** `lambda:invoke`: the function's result. */
  invoke(functionArn: string, payload: unknown, options: { signal: AbortSignal }): Promise<unknown>;
  /** The bucket that an ItemReader reads or a ResultWriter writes. */
  storage(bucket: string): Storage;
  /** `states:startExecution` of this very machine: starts, does not wait. */
  startExecution(name: string, input: unknown): Promise<{ executionArn: string; startDate: string }>;
}

/** Something that happened, for a log or a progress bar. */
export type WorkflowEvent =
  /** An event of the history of the execution, by its name on AWS (`TaskStateEntered`, `MapRunStarted`, ...). */
  | { readonly kind: 'history'; readonly execution: string; readonly type: string; readonly detail: EventDetail }
  /** A state will be tried again (on AWS the history shows only the next TaskScheduled). */
  | {
      readonly kind: 'retry';
      readonly execution: string;
      readonly state: string;
      readonly error: string;
      readonly delaySeconds: number;
    }
  /** A child of a Distributed Map ended. */
  | {
      readonly kind: 'item';
      readonly execution: string;
      readonly state: string;
      readonly done: number;
      readonly failed: number;
      readonly total: number;
    };

export interface EventDetail {
  readonly state?: string;
  readonly error?: string;
  readonly cause?: string;
  /** Of MapRunStarted. */
  readonly items?: number;
}

export interface EngineOptions {
  readonly services: Services;
  readonly clock?: Clock;
  /** In [0, 1), for retry jitter. */
  readonly random?: () => number;
  /** Children of a Map at the same time, at most; MaxConcurrency still counts where it is smaller. */
  readonly maxParallel?: number;
  readonly onEvent?: (event: WorkflowEvent) => void;
}
export type Engine = Required<EngineOptions>;
