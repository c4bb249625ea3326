import { failureKey, requestKey, runPrefix } from '../pipeline/keys';
import { reportKeys } from '../report/json';
import type { Storage } from '../storage/storage';
import type { DispatchContext } from './dispatch';
import { runName } from './identity';
import type { ReadPolicy } from './read';
import type { RequestedRun } from './record';
import { requestOf } from './request';
import type { RunPolicy } from './schema';

/**
 * Asks for a run of a policy on a version of a model, once: the request is written where there is none, and the execution has a name
 * that exists once. An execution whose run has ended is not started even after its name is free again (Step Functions forgets
 * names after 90 days). A delivery that finds a request but no execution, because the first one broke off in between, starts it.
 *
 * @param night the scheduled time of an audit, which tells its run from others of the same versions
 */
export async function startOnce(
  policy: ReadPolicy,
  about: Pick<RunPolicy, 'modelHash' | 'occasion'> & { readonly model: string },
  night: string | undefined,
  { storage, bucket, startRun }: DispatchContext,
): Promise<RequestedRun> {
  const { model, ...version } = about;
  const { name, version: policyVersion } = policy;
  const run = runName({ policy: name, policyVersion, model, modelHash: about.modelHash, occasion: night ?? 'upload' });
  const request = `${JSON.stringify(requestOf(policy, model, version, night), null, 2)}\n`;
  await storage.putIfAbsent(requestKey(run), request);
  const state = (await hasEnded(storage, run)) ? 'exists' : await startRun(run, { kind: 'run', bucket, run });
  return { policy: name, model, run, state };
}

/** Whether there is a result of the run, or the reason why there is none. */
async function hasEnded(storage: Storage, run: string): Promise<boolean> {
  const ends = [reportKeys(runPrefix(run)).json, failureKey(run)];
  const found = await Promise.all(ends.map((key) => storage.list(key)));
  return found.flat().some(({ key }) => ends.includes(key));
}
