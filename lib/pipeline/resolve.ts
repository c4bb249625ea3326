import { createHash } from 'node:crypto';
import picomatch from 'picomatch';
import { type Epsilon, parseEpsilons } from '../dataset/epsilon';
import { BadInputError } from '../errors';
import { type Policy, policySchema } from '../schedule/policy';
import type { RunRequest } from '../schedule/records';
import type { Storage } from '../storage/storage';
import { type AuditEvent, isAuditEvent, type PlanOutput, type UploadEvent } from '../workflow/events';
import { modelPrefix, policyPrefix, requestKey } from './keys';
import { readJson } from './records';

/** A model that an event is about, with what tells this event from others, so that its delivery twice starts no second run. */
interface Occasion {
  readonly model: string;
  readonly occasion: string;
}

/**
 * The runs that an event asks for: every policy whose models match. Their requests are written; each becomes an execution of its
 * own, named by policy, model version and occasion.
 *
 * @throws BadInputError with all problems of all policies that cannot be read; no run is started then
 */
export async function resolveEvent(storage: Storage, event: UploadEvent | AuditEvent): Promise<PlanOutput> {
  const policies = await readPolicies(storage);
  const occasions = isAuditEvent(event) ? await auditOccasions(storage, event) : [uploadOccasion(event)];
  const wanted = [...policies].filter(([, policy]) => !isAuditEvent(event) || policy.audit);
  const runs: { name: string; input: { kind: 'run'; bucket: string; run: string } }[] = [];
  for (const { model, occasion } of occasions) {
    for (const [name, policy] of wanted) {
      if (!picomatch.isMatch(model, policy.models)) continue;
      const run = runName(name, model, occasion);
      await storage.putIfAbsent(requestKey(run), `${JSON.stringify(requestOf(policy, model), null, 2)}\n`);
      runs.push({ name: run, input: { kind: 'run', bucket: event.bucket, run } });
    }
  }
  if (runs.length > 0) return { kind: 'runs', runs };
  const models = occasions.map(({ model }) => model).join(', ') || 'no model';
  return { kind: 'nothing', reason: `none of ${policies.size} policies applies to ${models}` };
}

/** A policy with its radii read. */
interface ReadPolicy extends Omit<Policy, 'epsilons'> {
  readonly epsilons: readonly Epsilon[];
}

/** All policies by name; BadInputError with the problems of every one that cannot be read. */
async function readPolicies(storage: Storage): Promise<Map<string, ReadPolicy>> {
  const keys = (await storage.list(policyPrefix)).map(({ key }) => key).filter((key) => key.endsWith('.json'));
  const policies = new Map<string, ReadPolicy>();
  const problems: string[] = [];
  for (const key of keys) {
    try {
      const policy = await readJson(storage, key, policySchema);
      const epsilons = parseEpsilons(policy.epsilons.join(','), anyRange);
      policies.set(key.slice(policyPrefix.length, -'.json'.length), { ...policy, epsilons });
    } catch (error) {
      if (!(error instanceof BadInputError)) throw error;
      problems.push(...error.problems.map((problem) => `${key}: ${problem}`));
    }
  }
  if (problems.length > 0) throw new BadInputError(`policies in ${storage.location}`, problems);
  return policies;
}

/** The range of a pixel is that of the data set, which planning compares the radii with. */
const anyRange = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const;

function uploadOccasion({ detail }: UploadEvent): Occasion {
  const { key, etag, sequencer } = detail.object;
  return { model: key, occasion: `${etag ?? ''} ${sequencer ?? ''}` };
}

async function auditOccasions(storage: Storage, { scheduled }: AuditEvent): Promise<Occasion[]> {
  const models = (await storage.list(modelPrefix)).map(({ key }) => key).filter((key) => key.endsWith('.onnx'));
  return models.map((model) => ({ model, occasion: scheduled }));
}

/** At most 80 characters of those that an execution's name may have. */
function runName(policy: string, model: string, occasion: string): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([policy, model, occasion]))
    .digest('hex')
    .slice(0, 16);
  const readable = `${policy}-${model.slice(modelPrefix.length).replace(/\.onnx$/, '')}`.replace(
    /[^A-Za-z0-9_-]/g,
    '_',
  );
  return `${readable.slice(0, 63)}-${digest}`;
}

function requestOf(policy: ReadPolicy, model: string): RunRequest {
  const { dataset, epsilons, first, secondsPerBall, seed, workers, acceptLowAccuracy } = policy;
  return {
    version: 1,
    model,
    dataset,
    epsilons: [...epsilons],
    ...(first !== undefined && { first }),
    mode: 'batch',
    secondsPerBall,
    seed,
    workers,
    acceptLowAccuracy,
  };
}
