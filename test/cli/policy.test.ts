import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { baverly } from '../support/command';
import { temporaryFolder } from '../support/folder';

const folder = temporaryFolder();
const policy = { version: 1, models: 'models/*.onnx', dataset: 'datasets/d', epsilons: ['0.1'] };

function file(name: string, content: unknown): string {
  const place = path.join(folder, name);
  writeFileSync(place, typeof content === 'string' ? content : JSON.stringify(content));
  return place;
}

test('a policy that can be used', async () => {
  const good = file('good.json', policy);
  const { code, stdout, stderr } = await baverly(['policy', 'check', good]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/good\.json can be used; its version is [0-9a-f]{16}\n$/);
  const json = await baverly(['policy', 'check', good, '--json']);
  expect(JSON.parse(json.stdout)).toMatchObject({
    status: 'valid',
    policy: { ...policy, secondsPerBall: 20 },
    problems: [],
    exitCode: 0,
  });
});

test('one that cannot: every problem with its place', async () => {
  const bad = file('bad.json', { ...policy, epsilon: 1, workers: 0 });
  const { code, stderr } = await baverly(['policy', 'check', bad]);
  expect(code).toBe(2);
  expect(stderr).toContain(`error: policy ${bad}`);
  expect(stderr).toMatch(/ {2}- \$\.workers: .*\n {2}- \$\.epsilon: unknown field/);
  const json = await baverly(['policy', 'check', bad, '--json']);
  expect(JSON.parse(json.stdout)).toMatchObject({
    status: 'failed',
    problems: [expect.stringMatching(/^\$\.workers/), expect.stringMatching(/^\$\.epsilon/)],
    exitCode: 2,
  });
});

test('one that is no JSON, or not there, and a command that there is not', async () => {
  expect(await baverly(['policy', 'check', file('text.json', '{"a": ')])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('$: it is not JSON'),
  });
  expect(await baverly(['policy', 'check', path.join(folder, 'none.json')])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('there is no such file'),
  });
  expect(await baverly(['policy', 'chek'])).toMatchObject({ code: 2, stdout: '' });
});
