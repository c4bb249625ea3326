import { handleCloudFormation } from '../../lib/serve/cloudformation';
import { ServiceError } from '../../lib/serve/http/message';
import { openExecutions } from '../../lib/serve/step-functions/executions';
import { handleStepFunctions } from '../../lib/serve/step-functions/handle';
import { machineArn } from '../../lib/workflow/local';
import { memoryStorage } from '../support/memory-storage';

const bytes = (text: string) => new TextEncoder().encode(text);

/** Status or error code of an answer. */
async function codeOf(answer: Promise<unknown>): Promise<string> {
  return answer.then(
    () => 'answered',
    (error) => (error instanceof ServiceError ? error.code : String(error)),
  );
}

describe('Step Functions', () => {
  async function setUp() {
    const storage = memoryStorage();
    const run = () => new Promise<never>(() => {});
    let time = Date.parse('2026-11-22T12:00:00Z');
    const executions = await openExecutions({ storage, run, log: () => {}, now: () => (time += 1000) });
    const call = async (operation: string, input: object | string) => {
      const headers = { 'x-amz-target': `AWSStepFunctions.${operation}` };
      const request = { method: 'POST', path: '/', query: new URLSearchParams(), headers };
      const body = bytes(typeof input === 'string' ? input : JSON.stringify(input));
      return JSON.parse(String((await handleStepFunctions(executions, request, body)).body));
    };
    return {
      call,
      start: (name: string, input = '{}') => call('StartExecution', { stateMachineArn: machineArn, name, input }),
    };
  }

  test('pages of a list go on where the one before ended, though executions start meanwhile', async () => {
    const { call, start } = await setUp();
    for (const name of ['a', 'b', 'c', 'd', 'e']) await start(name);
    const names: string[] = [];
    let nextToken: string | undefined;
    do {
      const page = await call('ListExecutions', {
        stateMachineArn: machineArn,
        maxResults: 2,
        ...(nextToken && { nextToken }),
      });
      names.push(...page.executions.map(({ name }: { name: string }) => name));
      nextToken = page.nextToken;
      await start(`later-${names.length}`);
    } while (nextToken !== undefined);
    expect(names).toEqual(['e', 'd', 'c', 'b', 'a']);
    await call('StopExecution', { executionArn: `${machineArn.replace(':stateMachine:', ':execution:')}:b` });
    const aborted = await call('ListExecutions', { stateMachineArn: machineArn, statusFilter: 'ABORTED' });
    expect(aborted.executions).toMatchObject([{ name: 'b', status: 'ABORTED', stopDate: expect.any(Number) }]);
  });

  test.each([
    ['StartExecution', { stateMachineArn: machineArn, name: 'a b' }, 'InvalidName'],
    ['StartExecution', { stateMachineArn: machineArn, name: '../a' }, 'InvalidName'],
    ['StartExecution', { stateMachineArn: machineArn, name: 'a', input: '{' }, 'InvalidExecutionInput'],
    ['StartExecution', { stateMachineArn: machineArn, input: `"${'x'.repeat(262_144)}"` }, 'InvalidExecutionInput'],
    ['StartExecution', { stateMachineArn: `${machineArn}2`, name: 'a' }, 'StateMachineDoesNotExist'],
    ['StartExecution', { name: 'a' }, 'ValidationException'],
    ['StartExecution', '{', 'SerializationException'],
    ['DescribeExecution', { executionArn: 'none' }, 'ExecutionDoesNotExist'],
    ['StopExecution', { executionArn: 'none' }, 'ExecutionDoesNotExist'],
    ['ListExecutions', { stateMachineArn: 'none' }, 'StateMachineDoesNotExist'],
    ['CreateStateMachine', {}, 'UnknownOperationException'],
    ['toString', {}, 'UnknownOperationException'],
  ])('%s of %j is %s', async (operation, input, code) => {
    const { call } = await setUp();
    expect(await codeOf(call(operation, input))).toBe(code);
  });

  test('an operation that is not offered is refused with those that are', async () => {
    const { call } = await setUp();
    const offered = 'it offers StartExecution, DescribeExecution, ListExecutions, StopExecution';
    await expect(call('RedriveExecution', {})).rejects.toThrow(
      `this server does not offer RedriveExecution; ${offered}`,
    );
  });

  test('a name that is taken is refused', async () => {
    const { start } = await setUp();
    await start('a');
    expect(await codeOf(start('a', '{"other":1}'))).toBe('ExecutionAlreadyExists');
  });
});

describe('CloudFormation', () => {
  const stack = { name: 'Baverly', startedAt: new Date(0), outputs: { BucketName: 'a<b' } };
  const call = async (form: string) => handleCloudFormation(stack, bytes(form));

  test('describes its one stack, escaped', async () => {
    const { body } = await call('Action=DescribeStacks&StackName=Baverly');
    expect(body).toContain('<OutputKey>BucketName</OutputKey><OutputValue>a&#60;b</OutputValue>');
  });

  test.each([
    ['Action=DescribeStacks&StackName=Other', 'ValidationError'],
    ['Action=DeleteStack&StackName=Baverly', 'InvalidAction'],
    ['', 'InvalidAction'],
  ])('%s is %s', async (form, code) => {
    expect(await codeOf(call(form))).toBe(code);
  });

  test('an action that is not offered is refused with the one that is', async () => {
    await expect(call('Action=DeleteStack')).rejects.toThrow(
      'this server does not offer DeleteStack; it offers DescribeStacks',
    );
  });
});
