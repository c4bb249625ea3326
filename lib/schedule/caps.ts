import { z } from 'zod';

/** Fields of a request or event that cap a run. */
export const capFields = {
  /** Most US dollars that the run may cost on AWS (lib/cost). */
  maxUsd: z.number().positive().optional(),
  /** Most seconds from the start of the execution, or of its resumption, to its end. */
  maxSeconds: z.number().positive().optional(),
};

const capsSchema = z.strictObject(capFields);
export type Caps = z.infer<typeof capsSchema>;

/** The caps among other fields, without those that are not set. */
export function capsOf({ maxUsd, maxSeconds }: Caps): Caps {
  return { ...(maxUsd !== undefined && { maxUsd }), ...(maxSeconds !== undefined && { maxSeconds }) };
}

/** `runs/<id>/caps.json`: the caps in force, since when, and where the run stopped at one. */
export const capsRecordSchema = z.strictObject({
  version: z.literal(1),
  caps: capsSchema,
  /** Milliseconds since the epoch. */
  since: z.number(),
  stopped: z.strictObject({ round: z.int().nonnegative(), problem: z.string() }).optional(),
});
export type CapsRecord = z.infer<typeof capsRecordSchema>;
