import { z } from 'zod';
import { capFields } from '../schedule/caps';

/**
 * What the state machine (statemachine/verification.asl.json) and its four functions say to each other. A state holds
 * at most 262,144 bytes, so these carry storage keys and small numbers, never balls.
 */

/** An execution name, as Step Functions accepts it. Standard executions of one name run once (within 90 days). */
export const executionNameSchema = z.string().regex(/^[A-Za-z0-9_-]{1,80}$/);

/** Starts one run, whose `runs/<run>/request.json` is already there. */
export const runEventSchema = z.strictObject({
  kind: z.literal('run'),
  bucket: z.string().min(1),
  /** Run id. */
  run: z.string().min(1),
  /** Other caps than those of the request: a larger one lets a run go on that stopped at one. */
  ...capFields,
});
export type RunEvent = z.infer<typeof runEventSchema>;

/** EventBridge's S3 `Object Created`, as the function `dispatch` gets it. Fields that nobody reads are let through. */
export const uploadEventSchema = z.looseObject({
  source: z.literal('aws.s3'),
  'detail-type': z.literal('Object Created'),
  detail: z.looseObject({
    object: z.looseObject({
      key: z.string().min(1),
      /** Of a versioned bucket. */
      'version-id': z.string().optional(),
    }),
  }),
});
export type UploadEvent = z.infer<typeof uploadEventSchema>;

/** The nightly schedule, as the function `audit` gets it. */
export const auditEventSchema = z.strictObject({
  /** The time the schedule was meant to fire (ISO 8601): the same in a second delivery. */
  scheduled: z.string().min(1),
});
export type AuditEvent = z.infer<typeof auditEventSchema>;

export const runReferenceSchema = z.strictObject({ id: z.string().min(1), bucket: z.string().min(1) });
export type RunReference = z.infer<typeof runReferenceSchema>;

export const roundSchema = z.strictObject({
  number: z.int().nonnegative(),
  /** Storage key of the plan, one mini-batch a line. Empty when done. */
  planKey: z.string(),
  /** Lines of the plan. */
  batches: z.int().nonnegative(),
  maxConcurrency: z.int().positive(),
  /** Long refinement: Standard children of up to 890 s instead of Express children of up to 290 s. */
  long: z.boolean(),
  /** Nothing is left to verify: there is no such round, the report comes next. */
  done: z.boolean(),
  /** Of a large data set that must be looked at first: `planKey` holds chunks of it, `batches` of them. */
  scan: z.literal(true).optional(),
});
export type Round = z.infer<typeof roundSchema>;

/**
 * What plan is called with: the event of a run, into which the state machine has put `bucket`; one chunk of a large data set
 * (lib/pipeline/plan-scan.ts, `chunkSchema`, validates it); or, when all of them were looked at, the run.
 */
export const planInputSchema = z.union([
  z.strictObject({
    event: runEventSchema,
    /** Name of the execution. */
    execution: z.string().min(1),
  }),
  z.strictObject({ bucket: z.string().min(1), chunk: z.unknown() }),
  z.strictObject({ scanned: runReferenceSchema }),
]);
export type PlanInput = z.infer<typeof planInputSchema>;

/** The first round, or the one that an interrupted run goes on with; `round.done` where nothing is left to verify. */
export const planOutputSchema = z.strictObject({ run: runReferenceSchema, round: roundSchema });
/** Of one chunk. */
export const chunkOutputSchema = z.strictObject({ chunk: z.int().nonnegative(), problems: z.int().nonnegative() });
export type ChunkOutput = z.infer<typeof chunkOutputSchema>;
export type PlanOutput = z.infer<typeof planOutputSchema>;

/** What verify is called with: one line of the plan (lib/schedule/records.ts, `miniBatchSchema`, validates it). */
export const verifyInputSchema = z.strictObject({ bucket: z.string().min(1), batch: z.unknown() });
export type VerifyInput = z.infer<typeof verifyInputSchema>;

/** What a round's map leaves: where its manifest is (lib/workflow/map-results.ts reads it). */
export const mapOutputSchema = z.looseObject({
  MapRunArn: z.string(),
  ResultWriterDetails: z.looseObject({ Bucket: z.string(), Key: z.string() }),
});
export type MapOutput = z.infer<typeof mapOutputSchema>;

export const coordinateInputSchema = z.strictObject({
  run: runReferenceSchema,
  round: roundSchema,
  map: mapOutputSchema,
});
export type CoordinateInput = z.infer<typeof coordinateInputSchema>;

/** The next round; `round.done` ends the loop. */
export const coordinateOutputSchema = z.strictObject({ run: runReferenceSchema, round: roundSchema });
export type CoordinateOutput = z.infer<typeof coordinateOutputSchema>;

/** Why a state failed for good. `cause` is often the JSON that lib/workflow/cause.ts reads. */
export const failureSchema = z.strictObject({ error: z.string(), cause: z.string() });
export type Failure = z.infer<typeof failureSchema>;

/** With `failed`, the run may have left nothing but its id: that of the execution where an event could not be planned. */
export const reportInputSchema = z.strictObject({ run: runReferenceSchema, failed: failureSchema.optional() });
export type ReportInput = z.infer<typeof reportInputSchema>;

export const reportOutputSchema = z.strictObject({
  reportKey: z.string(),
  /** Balls by verdict. */
  counts: z.record(z.string(), z.int().nonnegative()),
  status: z.enum(['done', 'incomplete', 'failed']),
});
export type ReportOutput = z.infer<typeof reportOutputSchema>;
