import { z } from 'zod';
import { costSchema } from '../cost/cost';
import { runRecordSchema } from '../schedule/records';

/** The final word on one ball, as in report.json and report.csv. */
export const ballVerdictSchema = z.strictObject({
  /** Index of the input in the data set. */
  index: z.int().nonnegative(),
  label: z.int().nonnegative(),
  /** The radius as the user wrote it. */
  epsilon: z.string(),
  verdict: z.enum(['robust', 'not-robust', 'unknown', 'misclassified']),
  /** Of `unknown`. */
  reason: z.string().optional(),
  /** Of every verdict but `unknown`: prediction, bound, attack, ... */
  settledBy: z.string().optional(),
  cpuSeconds: z.number(),
  /** Proven lower bound of the smallest margin. */
  margin: z.number().optional(),
  /** Of `not-robust` and `misclassified`: the class that the model gives. */
  predicted: z.int().optional(),
  /** Of `not-robust`: storage key of the witness (.npy, float32, model input shape). */
  witness: z.string().optional(),
  /** Id of the mini-batch that settled it. */
  batch: z.string().optional(),
});
export type BallVerdict = z.infer<typeof ballVerdictSchema>;

/** What one mini-batch did, for the table "which mini-batches settled what". */
export const batchSummarySchema = z.strictObject({
  id: z.string(),
  round: z.int(),
  kind: z.enum(['first', 'rest', 'suspect', 'retry']),
  epsilon: z.string(),
  /** Absent where members have several. */
  label: z.int().optional(),
  size: z.int(),
  robust: z.int(),
  notRobust: z.int(),
  open: z.int(),
  cpuSeconds: z.number(),
  /** Of a mini-batch that gave no result. */
  error: z.string().optional(),
});
export type BatchSummary = z.infer<typeof batchSummarySchema>;

/**
 * Counts of one radius, and the interval in which the certified accuracy lies: unknown balls count both ways, and so do
 * balls without a verdict, which only an incomplete or failed run has.
 */
export const radiusSummarySchema = z.strictObject({
  epsilon: z.string(),
  value: z.number(),
  robust: z.int(),
  notRobust: z.int(),
  unknown: z.int(),
  misclassified: z.int(),
  /** [robust / inputs, (inputs - not robust - misclassified) / inputs] */
  certifiedAccuracy: z.tuple([z.number(), z.number()]),
});
export type RadiusSummary = z.infer<typeof radiusSummarySchema>;

/** What was learned about the sizes of mini-batches at one radius (lib/schedule/learned-sizes.ts). */
const learnedSchema = z.strictObject({
  epsilon: z.string(),
  sizes: z.array(
    z.strictObject({
      size: z.int().positive(),
      pulls: z.int().positive(),
      /** Balls per CPU-second, and the interval in which it lies with 90 %. */
      velocity: z.number(),
      low: z.number(),
      high: z.number(),
    }),
  ),
  labels: z.array(z.strictObject({ label: z.int().nonnegative(), size: z.int().positive() })),
});
export type Learned = z.infer<typeof learnedSchema>;

/** report.json: see docs/report.md. */
export const reportSchema = z.strictObject({
  version: z.literal(1),
  run: runRecordSchema,
  preprocessing: z.strictObject({
    layout: z.enum(['CHW', 'HWC', 'flat']),
    scale: z.number(),
    mean: z.array(z.number()),
    std: z.array(z.number()),
    clip: z.tuple([z.number(), z.number()]),
  }),
  /** done: every ball has a verdict. */
  status: z.enum(['done', 'incomplete', 'failed']),
  /** Of `failed`: every problem. */
  problems: z.array(z.string()),
  wallSeconds: z.number(),
  cpuSeconds: z.number(),
  rounds: z.int(),
  /** What the run cost, or on this machine would have cost, on AWS. Absent where nothing was planned, and in reports of earlier versions. */
  cost: costSchema.optional(),
  /** Absent where nothing was learned (`single`), and in reports of earlier versions. */
  learned: z.array(learnedSchema).optional(),
  radii: z.array(radiusSummarySchema),
  batches: z.array(batchSummarySchema),
  balls: z.array(ballVerdictSchema),
});
export type Report = z.infer<typeof reportSchema>;
