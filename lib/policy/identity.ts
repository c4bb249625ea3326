import { createHash } from 'node:crypto';
import { modelPrefix } from '../pipeline/keys';
import type { Policy } from './schema';

/**
 * Version of a policy: SHA-256 of what it asks, hex. How its file is laid out, and whether a default is written out, makes no
 * difference.
 */
export function policyVersion(policy: Policy): string {
  return sha256(canonical(policy));
}

/** What tells one run of a policy from others. */
interface RunIdentity {
  readonly policy: string;
  readonly policyVersion: string;
  /** Storage key of the model. */
  readonly model: string;
  readonly modelHash: string;
  /** `upload`, or the time of the audit. */
  readonly occasion: string;
}

/**
 * Name of the run and of its execution: the same for the same versions of policy and model and the same occasion, and another
 * otherwise. At most 80 characters of those that an execution's name may have.
 */
export function runName({ policy, policyVersion: version, model, modelHash, occasion }: RunIdentity): string {
  const digest = sha256(JSON.stringify([policy, version, model, modelHash, occasion])).slice(0, 16);
  return `${slug(`${policy}-${modelTitle(model)}`)}-${digest}`;
}

/** `models/a/b.onnx` is `a/b` to people. */
export function modelTitle(model: string): string {
  return (model.startsWith(modelPrefix) ? model.slice(modelPrefix.length) : model).replace(/\.onnx$/, '');
}

/** At most 63 characters of those that an execution's name may have. */
export function slug(text: string): string {
  return text.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, 63);
}

export function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

/** JSON with the fields of every object in alphabetical order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
