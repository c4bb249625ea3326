import { z } from 'zod';
import { preprocessingSchema } from '../dataset/preprocess';
import { runPolicySchema } from '../policy/schema';
import { capFields } from './caps';
import { limitTold, mostMembers, requestLimits } from './request-limits';

/**
 * The plain data that a run leaves in storage and that the four functions hand to each other. Keys are below
 * `runs/<run id>/` (docs/pipeline.md); everything is written once and never changed.
 */

export const epsilonSchema = z.strictObject({
  /** As the user wrote it: `0.02`, `8/255`. */
  text: z.string(),
  /** In pixel units (see Preprocessing). */
  value: z.number().positive(),
});

/** What is asked of a run: `request.json`, written by whoever starts it. */
export const runRequestSchema = z.strictObject({
  version: z.literal(1),
  /** Storage key of the ONNX file. */
  model: z.string(),
  /** Storage prefix of a data set in canonical records (lib/dataset/records.ts), e.g. `datasets/mnist`. */
  dataset: z.string(),
  epsilons: z.array(epsilonSchema).min(1).max(requestLimits.radii, limitTold.radii),
  /** Only the first so many inputs. */
  first: z.int().positive().optional(),
  /** `single` is the one-by-one baseline: the same engine, mini-batches of one. */
  mode: z.enum(['batch', 'single']),
  secondsPerBall: z.number().positive().max(requestLimits.secondsPerBall, limitTold.secondsPerBall),
  seed: z.int().nonnegative(),
  /** Mini-batches verified at the same time. */
  workers: z.int().positive().max(requestLimits.workers, limitTold.workers),
  /** Go on although the clean accuracy is near chance. */
  acceptLowAccuracy: z.boolean(),
  /** Instead of what the data set says of itself, field by field. */
  preprocessing: preprocessingSchema.partial().optional(),
  /** Of a run that a policy asked for. */
  policy: runPolicySchema.optional(),
  /** Caps of the run; what starts or resumes it may set others. */
  ...capFields,
});
export type RunRequest = z.infer<typeof runRequestSchema>;

/** What a run is, fixed by the plan function: `run.json`. */
export const runRecordSchema = z.strictObject({
  version: z.literal(1),
  id: z.string(),
  request: runRequestSchema,
  modelHash: z.string(),
  datasetHash: z.string(),
  /** What the data set calls itself (its `dataset.json`): on the command line, the file that it was read from. */
  datasetName: z.string(),
  /** As it was when the run was planned: what every mini-batch verifies, whatever becomes of the data set's description. */
  preprocessing: preprocessingSchema.optional(),
  /** Number of inputs verified (each at every radius). */
  inputs: z.int().positive(),
  classes: z.int().min(2),
  /** Share of the inputs that the model classifies as labelled. */
  cleanAccuracy: z.number(),
  /** Package versions that decide results: baverly, onnxruntime-node, node. */
  versions: z.record(z.string(), z.string()),
  startedAt: z.string(),
});
export type RunRecord = z.infer<typeof runRecordSchema>;

/**
 * Why a mini-batch was planned: `first` contains balls that were never tried; `suspect` is one ball that a failing
 * mini-batch gave up; `rest` is what remained of failing mini-batches; `retry` follows a crash or time-out.
 */
export const batchKindSchema = z.enum(['first', 'rest', 'suspect', 'retry']);
export type BatchKind = z.infer<typeof batchKindSchema>;

/** One line of `rounds/<n>/plan.jsonl`: one mini-batch, the input of one verify call. All members share the radius. */
export const miniBatchSchema = z.strictObject({
  run: z.string(),
  round: z.int().nonnegative(),
  /** Unique in the run: `<round>-<number>`. */
  id: z.string(),
  kind: batchKindSchema,
  /** Index into request.epsilons. */
  epsilon: z.int().nonnegative(),
  /** The label of all members, or of each, in the order of `inputs`: members of a later attempt may have several. */
  label: z.union([z.int().nonnegative(), z.array(z.int().nonnegative()).max(mostMembers)]),
  /** Input indices, ascending, packed (lib/schedule/packed.ts). */
  inputs: z.string(),
  size: z.int().positive().max(mostMembers),
  /** The size that the bandit drew; `size` is smaller where fewer similar balls were left. 0: not drawn by the bandit. */
  arm: z.int().nonnegative(),
  /** 1 for the first attempt at these balls; the effort (attack restarts, search) grows with it. */
  attempt: z.int().positive(),
  /** Seconds the verify call may take in total. */
  seconds: z.number().positive(),
  /** Seconds of search after which a ball is handed back (lib/schedule/patience.ts); without it as the effort of the attempt says. */
  patience: z.number().positive().optional(),
  /** When the run's cap of time ends the search, in milliseconds since the epoch: members that are open then are handed back as `budget`. */
  until: z.number().optional(),
});
export type MiniBatch = z.infer<typeof miniBatchSchema>;

/** The label of each member, in the order of `inputs`. RangeError where there are more or fewer than members. */
export function memberLabels({ id, label, size }: Pick<MiniBatch, 'id' | 'label' | 'size'>): readonly number[] {
  if (typeof label === 'number') return new Array<number>(size).fill(label);
  if (label.length !== size) throw new RangeError(`mini-batch ${id} has ${label.length} labels for ${size} members`);
  return label;
}

/** What a mini-batch found out about one of its members. `open` is not a verdict: another attempt may settle it. */
export const ballResultSchema = z.discriminatedUnion('verdict', [
  z.strictObject({
    input: z.int(),
    verdict: z.literal('robust'),
    settledBy: z.string(),
    margin: z.number(),
    cpuSeconds: z.number(),
  }),
  z.strictObject({
    input: z.int(),
    verdict: z.literal('not-robust'),
    settledBy: z.string(),
    predicted: z.int(),
    /** Storage key of the witness: a .npy file, float32, in the model's input shape. */
    witness: z.string(),
    cpuSeconds: z.number(),
  }),
  z.strictObject({
    input: z.int(),
    verdict: z.literal('open'),
    /** What `unknown` would give as its reason if nobody tries again. */
    reason: z.enum(['search not run', 'time', 'memory', 'budget', 'numerics', 'crash']),
    /** Best proven lower bound of the smallest margin (<= 0), where there is one. */
    margin: z.number().optional(),
    cpuSeconds: z.number(),
  }),
]);
export type BallResult = z.infer<typeof ballResultSchema>;

/** `rounds/<n>/results/<mini-batch id>.json`, written by verify with put-if-absent. Every member appears exactly once. */
export const batchResultSchema = z.strictObject({
  id: z.string(),
  round: z.int(),
  /** Of the mini-batch, where the writer says it: a result at one radius is never taken for one at another, whatever its id. */
  epsilon: z.int().nonnegative().optional(),
  cpuSeconds: z.number(),
  wallSeconds: z.number(),
  peakMemoryBytes: z.number(),
  balls: z.array(ballResultSchema),
  /** The member that the mini-batch gives up when it fails: the one with the worst bound. */
  suspect: z.int().optional(),
});
export type BatchResult = z.infer<typeof batchResultSchema>;

/** A mini-batch without a result: its Lambda crashed, was killed, or timed out. */
export interface BatchFailure {
  readonly id: string;
  readonly error: string;
  readonly cause: string;
  /** From its start to its end, where both are known. */
  readonly seconds?: number;
}
