import { StatesError } from './errors';
import { limits } from './limits';
import type { EventDetail } from './services';

/** The event history of one execution: counted as Step Functions counts, since its limit ends an execution. */
export interface History {
  count(): number;
  /** Throws `States.Runtime` when only the place of the execution's last event is left. */
  record(type: string, detail?: EventDetail): void;
  /** Records the execution's last event. */
  close(type: string, detail?: EventDetail): void;
}

/** An Express execution has no limit; what it does is not counted in the execution that started it. */
export function createHistory(
  type: 'STANDARD' | 'EXPRESS',
  emit: (type: string, detail: EventDetail) => void,
): History {
  const limit = type === 'STANDARD' ? limits.historyEvents - 1 : Number.POSITIVE_INFINITY;
  let count = 0;
  const close = (type: string, detail: EventDetail = {}) => {
    count++;
    emit(type, detail);
  };
  return {
    count: () => count,
    close,
    record(type, detail) {
      if (count >= limit) {
        throw new StatesError('States.Runtime', `the execution reached the maximum of ${limits.historyEvents} events`);
      }
      close(type, detail);
    },
  };
}
