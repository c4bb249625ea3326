import type { RunState } from '../schedule/state';
import { decodeState } from '../schedule/state-file';
import type { Storage } from '../storage/storage';
import { runPrefix, stateKey } from './keys';

/** The state after the last merged round, or undefined before the first plan. */
export async function lastState(storage: Storage, run: string): Promise<RunState | undefined> {
  const rounds = (await storage.list(`${runPrefix(run)}/state/`)).map(({ key }) =>
    Number(/(\d+)\.bin$/.exec(key)?.[1] ?? -1),
  );
  const last = Math.max(-1, ...rounds);
  return last < 0 ? undefined : decodeState(await storage.get(stateKey(run, last)));
}
