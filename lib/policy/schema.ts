import { z } from 'zod';
import { preprocessingSchema } from '../dataset/preprocess';
import { limitTold, requestLimits } from '../schedule/request-limits';

const share = z.number().min(0).max(1);

/** What a run of a policy must reach; where it stops or starts to be reached, people are told. */
const thresholdsSchema = z.strictObject({
  /** Least share of the inputs that the model classifies as labelled. Below it nothing is verified: the run fails. */
  cleanAccuracy: share.optional(),
  /** Least proven certified accuracy at radii of the policy. */
  certified: z.array(z.strictObject({ epsilon: z.string(), atLeast: share })).default([]),
  /** Most balls that may be newly broken since the last run. */
  newlyBroken: z.int().nonnegative().optional(),
});
export type Thresholds = z.infer<typeof thresholdsSchema>;

/**
 * What is verified by itself, when a model is uploaded or every night: `policies/<name>.json` (docs/policies.md). Unknown fields
 * are errors.
 */
export const policySchema = z.strictObject({
  version: z.literal(1),
  /** Glob over model keys, e.g. `models/mnist-*.onnx`. */
  models: z.string().min(1),
  /** Storage prefix of a data set in canonical records, e.g. `datasets/mnist`. */
  dataset: z.string().min(1),
  /** Instead of what the data set says of itself (field by field). */
  preprocessing: preprocessingSchema.partial().optional(),
  /** Radii as text: `0.02`, `8/255`. */
  epsilons: z.array(z.string()).min(1).max(requestLimits.radii, limitTold.radii),
  /** Only the first so many inputs. */
  first: z.int().positive().optional(),
  /** Time budget of one ball. */
  secondsPerBall: z.number().positive().max(requestLimits.secondsPerBall, limitTold.secondsPerBall).default(20),
  /** Time budget of a run, from its start; what is open then is `unknown (budget)`. */
  maxSeconds: z.number().positive().optional(),
  /** What a run may cost, in US dollars (docs/cost.md); what is open then is `unknown (budget)`. */
  maxUsd: z.number().positive().optional(),
  seed: z
    .int()
    .nonnegative()
    .max(2 ** 31 - 1)
    .default(0),
  /** Mini-batches verified at the same time. */
  workers: z.int().positive().max(requestLimits.workers, limitTold.workers).default(100),
  /** Go on although the clean accuracy is near chance. */
  acceptLowAccuracy: z.boolean().default(false),
  thresholds: thresholdsSchema.default({ certified: [] }),
  /** E-mail addresses of who is told of failures and crossed thresholds. */
  notify: z.array(z.email('must be an e-mail address')).default([]),
  /** `nightly`: run every night on the current version of every matching model. */
  audit: z.enum(['nightly', 'never']).default('never'),
  /** Share of the reused verdicts that every run verifies again. */
  recheck: share.default(0.05),
});
export type Policy = z.infer<typeof policySchema>;

/** What a run knows of its policy (`policy` of request.json): fixed when it was asked for, whatever becomes of the policy. */
export const runPolicySchema = z.strictObject({
  name: z.string(),
  /** SHA-256 of the policy, hex (lib/policy/identity.ts). */
  version: z.string(),
  occasion: z.enum(['upload', 'audit']),
  /** SHA-256 of the model's file, hex: the version that the run is about. */
  modelHash: z.string(),
  thresholds: thresholdsSchema,
  notify: z.array(z.string()),
  recheck: share,
});
export type RunPolicy = z.infer<typeof runPolicySchema>;
