import type { RunState } from '../schedule/state';
import { decodeState, encodeState } from '../schedule/state-file';
import { MissingKeyError, type Storage } from '../storage/storage';
import { runPrefix, stateKey } from './keys';

/** The state after the last merged round, or undefined before the first plan. */
export async function lastState(storage: Storage, run: string): Promise<RunState | undefined> {
  const rounds = (await storage.list(`${runPrefix(run)}/state/`)).map(({ key }) =>
    Number(/(\d+)\.bin$/.exec(key)?.[1] ?? -1),
  );
  const last = Math.max(-1, ...rounds);
  return last < 0 ? undefined : decodeState(await storage.get(stateKey(run, last)));
}

/** The state after so many merged rounds, or undefined where they are not merged. */
export async function stateAfter(storage: Storage, run: string, rounds: number): Promise<RunState | undefined> {
  try {
    return decodeState(await storage.get(stateKey(run, rounds)));
  } catch (error) {
    if (error instanceof MissingKeyError) return undefined;
    throw error;
  }
}

/**
 * Writes the state unless there is one after as many rounds, and gives the one that is there. A function that was given up may still be at
 * work, and may have seen other results than the one that was called in its place: whichever writes first, both go on with the same state.
 */
export async function commitState(storage: Storage, run: string, state: RunState): Promise<RunState> {
  const key = stateKey(run, state.round);
  return (await storage.putIfAbsent(key, encodeState(state))) ? state : decodeState(await storage.get(key));
}
