import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { executionNameSchema } from '../../workflow/events';
import { limits } from '../../workflow/interpreter/limits';
import { machineArn } from '../../workflow/local';
import { ServiceError, type ServiceRequest, type ServiceResponse } from '../http/message';
import { ExecutionExistsError, type Executions } from './executions';
import type { ExecutionRecord } from './record';

const target = 'AWSStepFunctions.';
const executionPrefix = `${machineArn.replace(':stateMachine:', ':execution:')}:`;

/** The operations by name: their input, and what they do (AWS JSON 1.0). */
const operations: Readonly<Record<string, (executions: Executions, input: unknown) => Promise<object>>> = {
  StartExecution: operation(
    z.object({ stateMachineArn: z.string(), name: z.string().optional(), input: z.string().default('{}') }),
    async (executions, { stateMachineArn, name = randomUUID(), input }) => {
      checkMachine(stateMachineArn);
      if (!executionNameSchema.safeParse(name).success) {
        throw failure('InvalidName', `Invalid Name: '${name}': give 1 to 80 letters, digits, hyphens and underscores`);
      }
      checkInput(input);
      const { startDate } = await executions.start(name, input).catch(translated);
      return { executionArn: executionPrefix + name, startDate: seconds(startDate) };
    },
  ),
  DescribeExecution: operation(z.object({ executionArn: z.string() }), async (executions, { executionArn }) => {
    const record = executions.find(nameOf(executionArn)) ?? missing(executionArn);
    const { input, output, error, cause } = record;
    const ended = Object.entries({ output, error, cause }).filter(([, value]) => value !== undefined);
    return { ...summaryOf(record), input, ...Object.fromEntries(ended) };
  }),
  ListExecutions: operation(
    z.object({
      stateMachineArn: z.string(),
      statusFilter: z.string().optional(),
      maxResults: z.int().min(0).max(1000).default(100),
      nextToken: z.string().optional(),
    }),
    async (executions, { stateMachineArn, statusFilter, maxResults, nextToken }) => {
      checkMachine(stateMachineArn);
      const all = executions.list().filter(({ status }) => statusFilter === undefined || status === statusFilter);
      // The token names the last execution of the page before: those that start meanwhile are newer than all pages to come.
      const start = nextToken === undefined ? 0 : all.findIndex(({ name }) => name === nextToken) + 1;
      const page = all.slice(start, start + (maxResults || 100));
      const more = start + page.length < all.length ? { nextToken: page.at(-1)?.name } : {};
      return { executions: page.map(summaryOf), ...more };
    },
  ),
  StopExecution: operation(
    z.object({ executionArn: z.string(), error: z.string().optional(), cause: z.string().optional() }),
    async (executions, { executionArn, error, cause }) => {
      const record = (await executions.stop(nameOf(executionArn), error, cause)) ?? missing(executionArn);
      return { stopDate: seconds(record.stopDate ?? record.startDate) };
    },
  ),
};

/** Answers a request of the Step Functions API. Errors are thrown (ServiceError). */
export async function handleStepFunctions(
  executions: Executions,
  { headers }: ServiceRequest,
  body: Uint8Array,
): Promise<ServiceResponse> {
  const [, name = ''] = (headers['x-amz-target'] ?? '').split(target);
  if (!Object.hasOwn(operations, name)) {
    const offered = Object.keys(operations).join(', ');
    const asked = name || 'requests without operation';
    throw failure('UnknownOperationException', `this server does not offer ${asked}; it offers ${offered}`);
  }
  return json(200, await operations[name](executions, parsed(body)));
}

/** The answer to a request that failed. */
export function stepFunctionsFailure({ status, code, message }: ServiceError): ServiceResponse {
  return json(status, { __type: code, message });
}

function operation<T>(schema: z.ZodType<T>, act: (executions: Executions, input: T) => Promise<object>) {
  return async (executions: Executions, input: unknown): Promise<object> => {
    const read = schema.safeParse(input);
    if (read.success) return act(executions, read.data);
    const problems = read.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    throw failure('ValidationException', problems.join('; '));
  };
}

function parsed(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch {
    throw failure('SerializationException', 'The body is not JSON');
  }
}

function json(status: number, value: object): ServiceResponse {
  return { status, headers: { 'content-type': 'application/x-amz-json-1.0' }, body: JSON.stringify(value) };
}

function failure(code: string, message: string): ServiceError {
  return new ServiceError(400, code, message);
}

function translated(error: unknown): never {
  throw error instanceof ExecutionExistsError ? failure('ExecutionAlreadyExists', error.message) : error;
}

function missing(arn: string): never {
  throw failure('ExecutionDoesNotExist', `Execution Does Not Exist: '${arn}'`);
}

function checkMachine(arn: string): void {
  if (arn !== machineArn) throw failure('StateMachineDoesNotExist', `State Machine Does Not Exist: '${arn}'`);
}

function checkInput(input: string): void {
  if (Buffer.byteLength(input) > limits.payloadBytes) {
    throw failure('InvalidExecutionInput', `The input has more than ${limits.payloadBytes} bytes`);
  }
  try {
    JSON.parse(input);
  } catch {
    throw failure('InvalidExecutionInput', 'Invalid State Machine Execution Input: it is not JSON');
  }
}

function nameOf(arn: string): string {
  return arn.startsWith(executionPrefix) ? arn.slice(executionPrefix.length) : missing(arn);
}

const seconds = (date: string): number => Date.parse(date) / 1000;

function summaryOf({ name, status, startDate, stopDate }: ExecutionRecord) {
  return {
    executionArn: executionPrefix + name,
    stateMachineArn: machineArn,
    name,
    status,
    startDate: seconds(startDate),
    ...(stopDate !== undefined && { stopDate: seconds(stopDate) }),
  };
}
