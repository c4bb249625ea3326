import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { ExecutionAlreadyExists, type StartExecutionCommand } from '@aws-sdk/client-sfn';
import { contextFromEnvironment } from '../../lib/policy/aws-context';
import { eventBridgeEvents } from '../../lib/policy/event-bridge';
import { fileEvents } from '../../lib/policy/event-file';
import { type PolicyEvent, policyEvent } from '../../lib/policy/events';
import { eventsFromEnvironment } from '../../lib/policy/open-events';
import { startOnStepFunctions } from '../../lib/workflow/start-execution';
import { temporaryFolder } from '../support/folder';

const folder = temporaryFolder();

const event = (run: string, problems?: string[]): PolicyEvent =>
  policyEvent([run], {
    type: 'Run Failed',
    at: '2026-11-22T02:00:00.000Z',
    message: 'no model',
    notify: ['a@example.org'],
    run,
    ...(problems && { problems }),
  });

test('the id of an event is a function of what happened', () => {
  expect(event('a')).toEqual(event('a'));
  expect(event('a').id).not.toBe(event('b').id);
  expect(policyEvent(['a'], { ...event('a'), type: 'Run Finished' }).id).not.toBe(event('a').id);
});

test('in a root, events are appended to a file', async () => {
  const root = path.join(folder, 'new');
  const sink = fileEvents(root);
  await sink.publish([event('a'), event('b')]);
  await sink.publish([]);
  await eventsFromEnvironment({ BAVERLY_ROOT: root }).publish([event('c')]);
  const lines = readFileSync(path.join(root, 'events.jsonl'), 'utf8').trim().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toEqual([event('a'), event('b'), event('c')]);
});

test('on EventBridge each event is published under its type, ten at a time, with problems that fit', async () => {
  const sent: PutEventsCommand[] = [];
  const client = {
    async send(command: PutEventsCommand) {
      sent.push(command);
      return { FailedEntryCount: 0 };
    },
  };
  const long = Array.from({ length: 50 }, () => 'x'.repeat(20_000));
  const events = [event('first', long), ...Array.from({ length: 11 }, (_, i) => event(String(i)))];
  await eventBridgeEvents('bus', client as never).publish(events);
  expect(sent.map(({ input }) => input.Entries?.length)).toEqual([10, 2]);
  const [entry] = sent[0].input.Entries!;
  expect(entry).toMatchObject({ EventBusName: 'bus', Source: 'baverly', DetailType: 'Run Failed' });
  expect(entry.Detail!.length).toBeLessThan(200_000);
  expect(JSON.parse(entry.Detail!)).toMatchObject({ run: 'first', notify: ['a@example.org'], message: 'no model' });
});

test('events that EventBridge does not take are an error', async () => {
  const answer = { FailedEntryCount: 1, Entries: [{ ErrorCode: 'ThrottlingException', ErrorMessage: 'slower' }] };
  const sink = eventBridgeEvents('bus', { send: async () => answer } as never);
  await expect(sink.publish([event('a')])).rejects.toThrow('1 events were not taken: ThrottlingException: slower');
});

test('with a bucket alone events go to the log; with nothing they are refused', async () => {
  const log = jest.spyOn(console, 'error').mockImplementation(() => {});
  await eventsFromEnvironment({ BAVERLY_BUCKET: 'b' }).publish([event('a')]);
  expect(JSON.parse(String(log.mock.calls[0][0]))).toEqual(event('a'));
  log.mockRestore();
  expect(() => eventsFromEnvironment({})).toThrow('set BAVERLY_EVENT_BUS or BAVERLY_ROOT');
});

test('a run is started on Step Functions under its name, and one that is there is not an error', async () => {
  const sent: StartExecutionCommand[] = [];
  const input = { kind: 'run' as const, bucket: 'b', run: 'r' };
  const start = startOnStepFunctions('arn', {
    send: async (command: StartExecutionCommand) => void sent.push(command),
  } as never);
  expect(await start('r', input)).toBe('started');
  expect(sent[0].input).toEqual({ stateMachineArn: 'arn', name: 'r', input: JSON.stringify(input) });
  const failing = (error: Error) =>
    startOnStepFunctions('arn', { send: () => Promise.reject(error) } as never)('r', input);
  expect(await failing(new ExecutionAlreadyExists({ message: 'r', $metadata: {} }))).toBe('exists');
  await expect(failing(new Error('throttled'))).rejects.toThrow('throttled');
});

test('the deployed functions say what their environment lacks', () => {
  expect(() => contextFromEnvironment({})).toThrow('BAVERLY_BUCKET is not set; BAVERLY_STATE_MACHINE is not set');
});
