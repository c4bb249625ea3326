import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { project } from '../../cdk/project';

const cdk = path.join(project.root, 'node_modules', 'aws-cdk', 'bin', 'cdk');

let folder: string;
let connections: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'baverly-cli-'));
  connections = path.join(folder, 'connections');
  writeFileSync(connections, '');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** `cdk` in the repository, by somebody who has no account, no credentials, no network, no Docker and no home. */
function runCdk(...args: string[]) {
  return spawnSync(process.execPath, [cdk, ...args, '--output', path.join(folder, 'out')], {
    cwd: project.root,
    encoding: 'utf8',
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      CDK_DOCKER: path.join(folder, 'no-docker'),
      NODE_OPTIONS: `--require "${path.join(__dirname, 'offline.cjs')}"`,
      BAVERLY_CONNECTIONS: connections,
    },
  });
}

const read = (...file: string[]) => readFileSync(path.join(folder, ...file), 'utf8');

test('cdk synth needs no account, no network and no Docker, and passes every check', () => {
  const { status, stderr } = runCdk('synth', '--quiet');
  expect({ status, stderr }).toEqual({ status: 0, stderr: expect.any(String) });
  expect(read('connections')).toBe('');
  expect(JSON.parse(read('out', 'manifest.json')).artifacts.Baverly.environment).toBe(
    'aws://unknown-account/unknown-region',
  );
  const { pluginReports } = z
    .object({ pluginReports: z.array(z.object({ pluginName: z.string(), violations: z.array(z.unknown()) })) })
    .parse(JSON.parse(read('out', 'validation-report.json')));
  expect(pluginReports.map(({ pluginName }) => pluginName)).toContain('AwsSolutions');
  for (const { pluginName, violations } of pluginReports) {
    expect({ pluginName, violations }).toEqual({ pluginName, violations: [] });
  }
});

test('cdk synth says which settings cannot be used', () => {
  const { status, stderr } = runCdk('synth', '--quiet', '-c', 'alarmEmail=nobody');
  expect(status).toBe(1);
  expect(stderr).toContain('alarmEmail is "nobody": give an e-mail address');
});

test('the watch on connections sees one', () => {
  const { status, stderr } = spawnSync(
    process.execPath,
    ['-e', "fetch('http://192.0.2.1').catch((e) => { throw e.cause })"],
    {
      encoding: 'utf8',
      env: { NODE_OPTIONS: `--require "${path.join(__dirname, 'offline.cjs')}"`, BAVERLY_CONNECTIONS: connections },
    },
  );
  expect(status).toBe(1);
  expect(stderr).toContain('offline: connect');
  expect(read('connections')).toContain('192.0.2.1');
});
