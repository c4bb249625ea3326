import { z } from 'zod';

/**
 * The subset of Amazon States Language (JSONata) that the interpreter runs: no more than our state machine and its
 * recorded checks use. Every schema is strict, so a field outside the subset is a problem with its path, found before
 * anything runs (check.ts). Source: https://states-language.net/spec.html and the Step Functions developer guide.
 */

/** Any JSON value in which strings `{% ... %}` are JSONata. */
const template = z.unknown();
const assign = z.record(z.string(), template);
const wholeSeconds = z.int().positive().max(99_999_999);
const expression = z.string().regex(/^\{%[\s\S]*%\}$/, 'must be a JSONata expression {% ... %}');

const transition = { Next: z.string().optional(), End: z.literal(true).optional() };
const common = { Comment: z.string().optional(), QueryLanguage: z.literal('JSONata').optional() };
const exit = { Output: template.optional(), Assign: assign.optional() };

const retrierSchema = z.strictObject({
  ErrorEquals: z.array(z.string()).min(1),
  IntervalSeconds: wholeSeconds.optional(),
  MaxAttempts: z.int().nonnegative().optional(),
  BackoffRate: z.number().min(1).optional(),
  MaxDelaySeconds: wholeSeconds.optional(),
  JitterStrategy: z.enum(['FULL', 'NONE']).optional(),
});
export type Retrier = z.infer<typeof retrierSchema>;

const catcherSchema = z.strictObject({ ErrorEquals: z.array(z.string()).min(1), Next: z.string(), ...exit });
export type Catcher = z.infer<typeof catcherSchema>;
const handlers = { Retry: z.array(retrierSchema).optional(), Catch: z.array(catcherSchema).optional() };

const passSchema = z.strictObject({ Type: z.literal('Pass'), ...common, ...transition, ...exit });
const succeedSchema = z.strictObject({ Type: z.literal('Succeed'), ...common, Output: template.optional() });
const failSchema = z.strictObject({
  Type: z.literal('Fail'),
  ...common,
  Error: z.string().optional(),
  Cause: z.string().optional(),
});

const waitSchema = z.strictObject({
  Type: z.literal('Wait'),
  ...common,
  ...transition,
  ...exit,
  Seconds: z.union([z.int().nonnegative(), expression]).optional(),
  Timestamp: z.string().optional(),
});
export type WaitState = z.infer<typeof waitSchema>;

const choiceSchema = z.strictObject({
  Type: z.literal('Choice'),
  ...common,
  ...exit,
  Choices: z.array(z.strictObject({ Condition: z.union([z.boolean(), expression]), Next: z.string(), ...exit })).min(1),
  Default: z.string().optional(),
});
export type ChoiceState = z.infer<typeof choiceSchema>;

export const lambdaInvoke = 'arn:aws:states:::lambda:invoke';
export const startExecution = 'arn:aws:states:::states:startExecution';
export const getObject = 'arn:aws:states:::s3:getObject';
export const putObject = 'arn:aws:states:::s3:putObject';

const taskShared = {
  Type: z.literal('Task'),
  ...common,
  ...transition,
  ...exit,
  ...handlers,
  TimeoutSeconds: z.union([wholeSeconds, expression]).optional(),
};
const taskSchema = z.discriminatedUnion('Resource', [
  z.strictObject({
    ...taskShared,
    Resource: z.literal(lambdaInvoke),
    Arguments: z.strictObject({ FunctionName: z.string(), Payload: template }),
  }),
  z.strictObject({
    ...taskShared,
    Resource: z.literal(startExecution),
    Arguments: z.strictObject({ StateMachineArn: z.string(), Name: z.string(), Input: template }),
  }),
]);
export type TaskState = z.infer<typeof taskSchema>;

/** States inside a Map: a Map inside a Map is outside the subset. */
const innerStateSchema = z.discriminatedUnion('Type', [
  passSchema,
  taskSchema,
  choiceSchema,
  waitSchema,
  succeedSchema,
  failSchema,
]);

const bucketAnd = <Name extends string>(name: Name) =>
  z.strictObject({ Bucket: z.string(), [name]: z.string() } as { Bucket: z.ZodString } & Record<Name, z.ZodString>);

const mapSchema = z.strictObject({
  Type: z.literal('Map'),
  ...common,
  ...transition,
  ...exit,
  ...handlers,
  ItemProcessor: z.strictObject({
    Comment: z.string().optional(),
    ProcessorConfig: z.discriminatedUnion('Mode', [
      z.strictObject({ Mode: z.literal('INLINE') }),
      z.strictObject({ Mode: z.literal('DISTRIBUTED'), ExecutionType: z.enum(['STANDARD', 'EXPRESS']) }),
    ]),
    StartAt: z.string(),
    States: z.record(z.string(), innerStateSchema),
  }),
  ItemSelector: template.optional(),
  MaxConcurrency: z.union([z.int().nonnegative(), expression]).optional(),
  // INLINE only
  Items: z.union([z.array(template), expression]).optional(),
  // DISTRIBUTED only
  Label: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,40}$/)
    .optional(),
  ItemReader: z
    .strictObject({
      Resource: z.literal(getObject),
      ReaderConfig: z.strictObject({ InputType: z.enum(['JSON', 'JSONL']) }),
      Arguments: bucketAnd('Key'),
    })
    .optional(),
  ToleratedFailurePercentage: z.union([z.number().min(0).max(100), expression]).optional(),
  ResultWriter: z
    .strictObject({
      Resource: z.literal(putObject),
      WriterConfig: z.strictObject({
        Transformation: z.enum(['NONE', 'COMPACT']),
        OutputType: z.enum(['JSON', 'JSONL']),
      }),
      Arguments: bucketAnd('Prefix'),
    })
    .optional(),
});
export type MapState = z.infer<typeof mapSchema>;

const stateSchema = z.discriminatedUnion('Type', [...innerStateSchema.options, mapSchema]);
export type State = z.infer<typeof stateSchema>;

/** A state machine, or the processor of a Map. */
export interface StateGraph {
  readonly StartAt: string;
  readonly States: Readonly<Record<string, State>>;
}

export const machineSchema = z.strictObject({
  Comment: z.string().optional(),
  QueryLanguage: z.literal('JSONata'),
  StartAt: z.string(),
  States: z.record(z.string(), stateSchema),
});
/** A definition that check.ts has accepted. */
export type Machine = z.infer<typeof machineSchema>;
