import { appendFileSync } from 'node:fs';
import path from 'node:path';
import { fileEvents } from '../../lib/policy/event-file';
import { type PolicyEvent, policyEvent } from '../../lib/policy/events';
import { openNotices } from '../../lib/serve/notices';
import { temporaryFolder } from '../support/folder';

const folder = temporaryFolder();
const event = (name: string, more: Partial<PolicyEvent> = {}): PolicyEvent =>
  policyEvent([name], {
    type: 'Run Failed',
    at: '2026-01-01T00:00:00Z',
    message: `${name} failed`,
    notify: [],
    ...more,
  });

test('tells what people are told, once, from where the file ended on; half a line is for later', async () => {
  const root = path.join(folder, 'root');
  const events = fileEvents(root);
  await events.publish([event('before')]);
  const lines: string[] = [];
  const notices = await openNotices(root, (line) => lines.push(line));
  await notices.look();
  const crossed = event('b', { type: 'Threshold Crossed', notify: ['a@example.org', 'b@example.org'] });
  await events.publish([event('a'), event('c', { type: 'Run Finished' }), event('a'), crossed]);
  const text = JSON.stringify(event('late, ä'));
  const file = path.join(root, 'events.jsonl');
  appendFileSync(file, text.slice(0, 30));
  await Promise.all([notices.look(), notices.look()]);
  appendFileSync(file, `${text.slice(30)}\nno json\n`);
  await notices.look();
  expect(lines).toEqual([
    'notification to the operator: Run Failed: a failed',
    'notification to a@example.org, b@example.org: Threshold Crossed: b failed',
    'notification to the operator: Run Failed: late, ä failed',
  ]);
});

test('a root without events holds nothing to tell', async () => {
  const lines: string[] = [];
  const absent = await openNotices(path.join(folder, 'absent'), (line) => lines.push(line));
  await absent.look();
  expect(lines).toEqual([]);
});
