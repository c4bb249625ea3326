import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';
import { nodeBundle } from '../../scripts/node-bundle.cjs';
import { benchmarkFile } from './data';
import { median, rounded } from './measure';
import { root } from './results';

export interface ColdStart {
  readonly network: string;
  readonly epsilon: number;
  /** Median over the runs. */
  readonly seconds: number;
  readonly runs: readonly number[];
}

const repetitions = 5;

/**
 * Starts a process that imports what the verify function imports, loads the model, compiles what it needs and settles one ball; seconds from
 * the start of the process to the verdict. What AWS adds (a sandbox, the download of the code) is not in it.
 */
export async function coldStart(network: string, epsilon: number): Promise<ColdStart> {
  const folder = mkdtempSync(path.join(tmpdir(), 'baverly-cold-'));
  // Inside the repository, so that packages are found from it.
  const outfile = path.join(root, '.build', `cold-${process.pid}.cjs`);
  try {
    await build({ absWorkingDir: root, entryPoints: ['bench/support/first-verdict.ts'], outfile, ...nodeBundle });
    const runs = Array.from({ length: repetitions }, () => {
      const args = [outfile, benchmarkFile(`nets/${network}.onnx`), String(epsilon)];
      const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8' });
      if (status !== 0) throw new Error(`cold start failed: ${stderr}`);
      return rounded(Number(stdout), 3);
    });
    return { network, epsilon, seconds: median(runs), runs };
  } finally {
    rmSync(folder, { recursive: true });
    rmSync(outfile, { force: true });
  }
}
