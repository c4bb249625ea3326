import picomatch from 'picomatch';
import type { z } from 'zod';
import { type Epsilon, parseEpsilon } from '../dataset/epsilon';
import { BadInputError, messageOf } from '../errors';
import { policyPrefix } from '../pipeline/keys';
import { checkKey } from '../storage/keys';
import { getText, type Storage } from '../storage/storage';
import { policyVersion } from './identity';
import { type Policy, policySchema } from './schema';

/** A policy with its radii read. */
export interface ReadPolicy {
  readonly name: string;
  /** SHA-256 of what it asks, hex. */
  readonly version: string;
  readonly policy: Policy;
  readonly epsilons: readonly Epsilon[];
}

/** A policy that cannot be used. */
export interface RefusedPolicy {
  /** Its storage key. */
  readonly key: string;
  readonly problems: readonly string[];
}

/** Reads a policy. BadInputError with every problem, each at its place: `$.thresholds.certified[0].atLeast: ...`. */
export function parsePolicy(text: string, name: string, subject: string): ReadPolicy {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new BadInputError(subject, [`$: it is not JSON: ${messageOf(error)}`], { cause: error });
  }
  const parsed = policySchema.safeParse(value);
  // Radii and globs are looked at even where other fields are wrong, so that all problems are told at once.
  const problems = [...(parsed.success ? [] : parsed.error.issues.flatMap(problemsOfIssue)), ...meaningProblems(value)];
  if (problems.length > 0 || !parsed.success) throw new BadInputError(subject, problems);
  const policy = parsed.data;
  const epsilons = policy.epsilons.map((epsilon) => parseEpsilon(epsilon, anyRange));
  return { name, version: policyVersion(policy), policy, epsilons };
}

/** All policies of a storage: those that can be used, by name, and what is wrong with the others. */
export async function readPolicies(storage: Storage): Promise<{ policies: ReadPolicy[]; refused: RefusedPolicy[] }> {
  const policies: ReadPolicy[] = [];
  const refused: RefusedPolicy[] = [];
  for (const { key } of await storage.list(policyPrefix)) {
    if (!key.endsWith('.json')) continue;
    const name = key.slice(policyPrefix.length, -'.json'.length);
    try {
      policies.push(parsePolicy(await getText(storage, key), name, key));
    } catch (error) {
      if (!(error instanceof BadInputError)) throw error;
      refused.push({ key, problems: error.problems });
    }
  }
  return { policies, refused };
}

/** Whether a policy is about a model. */
export function matches({ policy }: ReadPolicy, model: string): boolean {
  return picomatch.isMatch(model, policy.models);
}

/** The range of a pixel is that of the data set, which planning compares the radii with. */
const anyRange = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const;

/** `$.epsilons[1]`: a JSON path (RFC 9535, section 2.7). */
function pathOf(path: readonly PropertyKey[]): string {
  const plain = /^[A-Za-z_]\w*$/;
  const step = (part: PropertyKey): string => {
    if (typeof part === 'number') return `[${part}]`;
    return plain.test(String(part)) ? `.${String(part)}` : `[${JSON.stringify(String(part))}]`;
  };
  return `$${path.map(step).join('')}`;
}

function problemsOfIssue(issue: z.core.$ZodIssue): string[] {
  if (issue.code !== 'unrecognized_keys') return [`${pathOf(issue.path)}: ${issue.message}`];
  const advice = 'unknown field: remove it, or correct its name (docs/policies.md has all)';
  return issue.keys.map((key) => `${pathOf([...issue.path, key])}: ${advice}`);
}

/** What the schema cannot say: radii that cannot be read or are given twice, thresholds at no radius, keys that no model has. */
function meaningProblems(value: unknown): string[] {
  const { epsilons, thresholds, models, dataset } = fieldsOf(value);
  const problems: string[] = [];
  const known = new Map<number, string>();
  const radiusAt = (path: readonly PropertyKey[], text: unknown): number | undefined => {
    if (typeof text !== 'string') return undefined;
    try {
      return parseEpsilon(text, anyRange).value;
    } catch (error) {
      if (!(error instanceof BadInputError)) throw error;
      problems.push(...error.problems.map((problem) => `${pathOf(path)}: ${problem}`));
      return undefined;
    }
  };
  for (const [i, text] of listOf(epsilons).entries()) {
    const radius = radiusAt(['epsilons', i], text);
    if (radius === undefined) continue;
    const same = known.get(radius);
    if (same !== undefined) problems.push(`$.epsilons[${i}]: the same radius as ${same}: leave one out`);
    else known.set(radius, `$.epsilons[${i}]`);
  }
  const limited = new Map<number, string>();
  for (const [i, item] of listOf(fieldsOf(thresholds).certified).entries()) {
    const path = ['thresholds', 'certified', i, 'epsilon'];
    const { epsilon } = fieldsOf(item);
    const radius = radiusAt(path, epsilon);
    if (radius === undefined) continue;
    if (!known.has(radius)) problems.push(`${pathOf(path)}: ${String(epsilon)} is not a radius of the policy`);
    const same = limited.get(radius);
    if (same !== undefined)
      problems.push(`${pathOf(path)}: a second threshold at the radius of ${same}: leave one out`);
    else limited.set(radius, pathOf(path));
  }
  if (typeof models === 'string' && models !== '' && !reachesModels(models)) {
    problems.push(`$.models: ${JSON.stringify(models)} matches no key below models/: write models/<glob>.onnx`);
  }
  if (typeof dataset === 'string' && dataset !== '' && !isPrefix(dataset)) {
    problems.push(`$.dataset: ${JSON.stringify(dataset)} is not a storage prefix: write datasets/<name>`);
  }
  return problems;
}

/** Whether a glob can match a key below models/. */
function reachesModels(glob: string): boolean {
  const { base } = picomatch.scan(glob);
  return base === '' || base === 'models' || base.startsWith('models/');
}

function isPrefix(text: string): boolean {
  try {
    checkKey(`${text}/dataset.json`);
    return true;
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
