import { z } from 'zod';

/** Which runs are started by themselves: `policies/<name>.json`. Unknown fields are errors. */
export const policySchema = z.strictObject({
  version: z.literal(1),
  /** Glob over model keys, e.g. `models/mnist-*.onnx`. */
  models: z.string().min(1),
  /** Storage prefix of a data set in canonical records, e.g. `datasets/mnist`. */
  dataset: z.string().min(1),
  /** Radii as text: `0.02`, `8/255`. */
  epsilons: z.array(z.string()).min(1),
  first: z.int().positive().optional(),
  secondsPerBall: z.number().positive().default(20),
  seed: z.int().nonnegative().default(0),
  /** Mini-batches verified at the same time. */
  workers: z.int().positive().max(10_000).default(100),
  acceptLowAccuracy: z.boolean().default(false),
  /** Run every night on all matching models. */
  audit: z.boolean().default(false),
});
export type Policy = z.infer<typeof policySchema>;
