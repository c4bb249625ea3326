import { identifyModel, type ModelIdentity } from '../pipeline/model-file';
import type { Storage } from '../storage/storage';
import type { RunEvent, UploadEvent } from '../workflow/events';
import { type EventSink, type PolicyEvent, policyEvent } from './events';
import { modelTitle, sha256, slug } from './identity';
import { matches, type ReadPolicy, readPolicies } from './read';
import { type DispatchRecord, type RequestedRun, recorded, recordOnce } from './record';
import { refusedEvents } from './refused';
import { startOnce } from './start';

/**
 * Starts an execution of the workflow by name. A name is started once: `exists` when there is or was one of this name. Throws
 * where it is not known whether it started; the caller is then called again.
 */
export type StartRun = (name: string, input: RunEvent) => Promise<'started' | 'exists'>;

/** What dispatching stands on; the same on AWS and on one machine. */
export interface DispatchContext {
  readonly storage: Storage;
  /** The name by which runs call `storage`. */
  readonly bucket: string;
  readonly startRun: StartRun;
  readonly events: EventSink;
  /** Clock in ms since the epoch. */
  readonly now?: () => number;
}

/** A model that was put into storage. */
export interface ModelUpload {
  /** Storage key, `models/<name>.onnx`. */
  readonly model: string;
  /** Of a versioned bucket, for the record. */
  readonly versionId?: string;
}

/** The upload that EventBridge's `Object Created` tells of. */
export function uploadOf({ detail }: UploadEvent): ModelUpload {
  const { key, 'version-id': versionId } = detail.object;
  return { model: key, ...(versionId !== undefined && { versionId }) };
}

/**
 * A model was uploaded: every policy that matches runs on the version that is there now. The same versions of model and policy
 * give one run, however often and at how many places at once this is called. Where nothing runs (no policy matches, policies
 * cannot be read, the model is gone, or larger than any that is read) that is recorded and published; the first record of an outcome is kept.
 */
export async function dispatchUpload(upload: ModelUpload, context: DispatchContext): Promise<DispatchRecord> {
  const { storage, now = Date.now } = context;
  const { model, versionId } = upload;
  const found = await identifyModel(storage, model);
  const modelHash = found.kind === 'model' ? found.hash : undefined;
  const { policies, refused } = await readPolicies(storage);
  const matching = modelHash === undefined ? [] : policies.filter((policy) => matches(policy, model));
  const key = dispatchName(model, [
    found.kind === 'too large' ? found : modelHash,
    matching.map(({ name, version }) => [name, version]),
    refused,
  ]);
  const earlier = await recorded(storage, key);

  const runs: RequestedRun[] = [];
  for (const policy of matching) {
    runs.push(await startOnce(policy, { model, modelHash: modelHash!, occasion: 'upload' }, undefined, context));
  }
  if (earlier) return { ...earlier, runs };

  const at = new Date(now()).toISOString();
  const problem = whyNone(model, found, policies, matching);
  const record: DispatchRecord = {
    version: 1,
    at,
    occasion: 'upload',
    model,
    ...(versionId !== undefined && { versionId }),
    ...(modelHash !== undefined && { modelHash }),
    runs,
    problems: [...(problem === undefined ? [] : [problem]), ...refused.flatMap(problemsAt)],
  };
  const events = refusedEvents(refused, at);
  if (problem !== undefined) events.push(notVerified(model, modelHash, problem, record.problems, at));
  // Told first: told twice is better than never, when this process ends in between.
  if (events.length > 0) await context.events.publish(events);
  return recordOnce(storage, key, record);
}

const problemsAt = ({ key, problems }: { key: string; problems: readonly string[] }): string[] =>
  problems.map((problem) => `${key}: ${problem}`);

function whyNone(
  model: string,
  found: ModelIdentity,
  policies: readonly ReadPolicy[],
  matching: readonly ReadPolicy[],
): string | undefined {
  if (found.kind === 'missing') return `${model} is not there (any more): upload it again`;
  if (found.kind === 'too large') return found.problem;
  if (matching.length > 0) return undefined;
  const globs = policies.map(({ name, policy }) => `${name} (${policy.models})`).join(', ');
  const known = policies.length === 0 ? 'there is none that can be read' : `there are ${globs}`;
  return `no policy is about ${model}: ${known}`;
}

function notVerified(
  model: string,
  modelHash: string | undefined,
  problem: string,
  problems: readonly string[],
  at: string,
): PolicyEvent {
  const message = `${model} was uploaded and is not verified: ${problem}`;
  return policyEvent([model, modelHash ?? '', problem], {
    type: 'Model Not Verified',
    at,
    message,
    notify: [],
    model,
    problems,
  });
}

/** A function of what was found, so that the same event delivered again finds its record. */
function dispatchName(model: string, found: unknown): string {
  return `${slug(modelTitle(model))}-${sha256(JSON.stringify([model, found])).slice(0, 16)}`;
}
