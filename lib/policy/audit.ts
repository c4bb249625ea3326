import { modelPrefix } from '../pipeline/keys';
import { identifyModel } from '../pipeline/model-file';
import type { AuditEvent } from '../workflow/events';
import type { DispatchContext } from './dispatch';
import { type PolicyEvent, policyEvent } from './events';
import { sha256, slug } from './identity';
import { matches, type ReadPolicy, readPolicies } from './read';
import { type DispatchRecord, type RequestedRun, recorded, recordOnce } from './record';
import { refusedEvents } from './refused';
import { startOnce } from './start';

/**
 * The nightly audit: every policy with `audit: nightly` runs on the current version of every model that it is about, once per
 * scheduled time, however often this is called. The runs reuse what still holds (lib/audit/reuse.ts). Policies that cannot be
 * read are recorded and published, since they may ask for audits; so are models that are larger than any that is read.
 */
export async function dispatchAudit({ scheduled }: AuditEvent, context: DispatchContext): Promise<DispatchRecord> {
  const { storage, now = Date.now } = context;
  const { policies, refused } = await readPolicies(storage);
  const nightly = policies.filter(({ policy }) => policy.audit === 'nightly');
  const models = (await storage.list(modelPrefix)).map(({ key }) => key).filter((key) => key.endsWith('.onnx'));
  const runs: RequestedRun[] = [];
  const problems = refused.flatMap(({ key, problems }) => problems.map((problem) => `${key}: ${problem}`));
  const at = new Date(now()).toISOString();
  const tooLarge: PolicyEvent[] = [];
  for (const model of models) {
    const matching = nightly.filter((policy) => matches(policy, model));
    if (matching.length === 0) continue;
    const found = await identifyModel(storage, model);
    if (found.kind === 'too large') {
      problems.push(found.problem);
      tooLarge.push(...matching.map((policy) => notVerifiedEvent(policy, scheduled, at, found.problem, model)));
    }
    if (found.kind === 'missing') problems.push(`${model} was removed during the audit`);
    if (found.kind !== 'model') continue;
    const modelHash = found.hash;
    for (const policy of matching) {
      runs.push(await startOnce(policy, { model, modelHash, occasion: 'audit' }, scheduled, context));
    }
  }
  const idle = nightly.filter((policy) => !models.some((model) => matches(policy, model)));
  const idleEvents = idle.map((policy) => notVerifiedEvent(policy, scheduled, at, idleProblem(policy)));
  const events = [...refusedEvents(refused, at), ...tooLarge, ...idleEvents];
  problems.push(...idle.map(idleProblem));
  const record: DispatchRecord = { version: 1, at, occasion: 'audit', scheduled, runs, problems };
  const outcome = [scheduled, refused, ...tooLarge.map(({ message }) => message)];
  const name = `audit-${slug(scheduled)}-${sha256(JSON.stringify(outcome)).slice(0, 16)}`;
  const earlier = await recorded(storage, name);
  if (earlier) return { ...earlier, runs };
  // Told first: told twice is better than never, when this process ends in between.
  if (events.length > 0) await context.events.publish(events);
  return recordOnce(storage, name, record);
}

const idleProblem = ({ name, policy }: ReadPolicy): string => `policy ${name}: no model matches ${policy.models}`;

function notVerifiedEvent(
  { name, policy: { notify } }: ReadPolicy,
  scheduled: string,
  at: string,
  problem: string,
  model?: string,
): PolicyEvent {
  const found = model === undefined ? 'verifies nothing by' : 'leaves a model out:';
  const message = `the audit of ${scheduled} ${found} ${problem}`;
  return policyEvent(model === undefined ? [name, scheduled] : [name, scheduled, model], {
    ...{ type: 'Model Not Verified', at, message, notify, policy: name },
    ...(model !== undefined && { model, problems: [problem] }),
  });
}
