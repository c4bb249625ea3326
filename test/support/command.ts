import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { Writable } from 'node:stream';
import { buildSync } from 'esbuild';
import { runCommand } from '../../lib/cli/program';
import { nodeBundle } from '../../scripts/node-bundle.cjs';

const root = path.join(__dirname, '../..');

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command line in this process; `worker` is the entry of its child processes, where it gets as far as starting them. */
export async function baverly(argv: readonly string[], worker = path.join(root, 'no-worker.cjs')): Promise<Ended> {
  const [stdout, stderr] = [collector(), collector()];
  const code = await runCommand(argv, { stdout: stdout.stream, stderr: stderr.stream, worker });
  return { code, stdout: stdout.text(), stderr: stderr.text() };
}

function collector() {
  let text = '';
  const stream = new Writable({
    write(chunk, _, done) {
      text += String(chunk);
      done();
    },
  });
  return { stream, text: () => text };
}

/** Bundles the command line and its worker as scripts/build.cjs does, apart from dist/; removed after the tests of the file. */
export function builtCommand(): { readonly main: string; readonly worker: string } {
  mkdirSync(path.join(root, '.build'), { recursive: true });
  // Inside the repository, so that packages are found.
  const folder = mkdtempSync(path.join(root, '.build', 'command-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  buildSync({
    entryPoints: { main: path.join(root, 'lib/cli/main.ts'), worker: path.join(root, 'lib/cli/worker.ts') },
    outdir: folder,
    outExtension: { '.js': '.cjs' },
    ...nodeBundle,
    sourcemap: 'inline',
    logLevel: 'error',
  });
  return { main: path.join(folder, 'main.cjs'), worker: path.join(folder, 'worker.cjs') };
}
