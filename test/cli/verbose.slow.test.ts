import path from 'node:path';
import { serve } from '../../lib/serve/serve';
import { baverly, builtCommand } from '../support/command';
import { fileIn, temporaryFolder } from '../support/folder';
import { csvOf, tinySet } from '../support/tiny-run';

const { worker } = builtCommand();
const folder = temporaryFolder();

test('serve, submit and watch tell what happens to a run, where they are asked to', async () => {
  const set = await tinySet({ count: 20 });
  const narrated: string[] = [];
  const server = await serve({
    ...{ root: path.join(folder, 'root'), port: 0, worker, workers: 1, memoryMb: 512, stack: 'Baverly' },
    log: () => {},
    narrate: (line) => narrated.push(line),
  });
  const target = ['--endpoint', server.endpoint, '--verbose'];
  try {
    const model = fileIn(folder, 'tiny.onnx', set.model);
    const data = fileIn(folder, 'tiny.csv', csvOf(set));
    const asked = ['--model', model, '--data', data, '--epsilon', '0.02', '--id', 'r'];
    const submitted = await baverly(['submit', ...asked, ...target]);
    expect({ code: submitted.code, stdout: submitted.stdout }).toEqual({ code: 0, stdout: 'r\n' });
    expect(submitted.stderr).toMatch(/ models\/sha256\/\w+: uploaded\n.* asked: mode batch, radii 0\.02, /s);
    expect(submitted.stderr).toMatch(/ run r: started\n/);
    const watched = await baverly(['watch', 'r', '--interval', '0.2', ...target]);
    expect(watched.code).toBe(0);
    expect(watched.stderr).toMatch(
      /^\d\d:\d\d:\d\d\.\d{3} (planning|round 1: \d+ of \d+ mini-batches; \d+ of 20 balls)/,
    );
    const lines = watched.stderr.split('\n').map((line) => line.replace(/^[\d:.]+ /, ''));
    expect(new Set(lines).size).toBe(lines.length);
  } finally {
    await server.close();
  }
  expect(narrated[0]).toMatch(/^run r: plan: round 0 of \d+ mini-batches is planned; /);
  expect(narrated.at(-1)).toMatch(/^run r: report: the report says done; /);
});
