import { rmSync } from 'node:fs';
import path from 'node:path';
import { readReport } from '../../lib/report/json';
import type { Report } from '../../lib/report/record';
import { unknownReasons } from '../../lib/report/totals';
import { fileStorage } from '../../lib/storage/files';
import { type Cost, measureCommand } from './child';
import { benchmarkFile } from './data';
import { rounded } from './measure';
import { root } from './results';

const program = path.join(root, 'bin', 'baverly.cjs');

/** Bundles the program where that is due, which is no part of a run. */
export async function bundleProgram(): Promise<void> {
  await measureCommand(process.execPath, [program, '--version']);
}

/**
 * `baverly run` of a network of the benchmark data as a user starts it, with its processes.
 *
 * @param network file name in the folder of networks
 * @param asked further options
 * @param folder is emptied
 * @throws where it ends with another exit code than 0
 */
export async function runBaverly(
  network: string,
  asked: readonly string[],
  folder: string,
): Promise<{ readonly report: Report; readonly cost: Cost }> {
  rmSync(folder, { recursive: true, force: true });
  const model = ['--model', benchmarkFile(`nets/${network}`)];
  const cost = await measureCommand(process.execPath, [program, 'run', ...model, ...asked, '--out', folder]);
  if (cost.exitCode !== 0) throw new Error(`the run in ${folder} ended with exit code ${cost.exitCode}`);
  return { report: await readReport(fileStorage(folder), 'runs/local'), cost };
}

export const mebibytes = ({ peakMemoryBytes }: Cost): number => Math.round(peakMemoryBytes / 2 ** 20);

/** What a run took, and what settled its balls, as results hold it. */
export function figuresOf(report: Report, cost: Cost) {
  return {
    unknownReasons: Object.fromEntries(unknownReasons(report)),
    settledBy: settlersOf(report),
    rounds: report.rounds,
    miniBatches: report.batches.length,
    wallSeconds: rounded(cost.wallSeconds),
    cpuSeconds: rounded(cost.cpuSeconds),
    cpuSecondsOfMiniBatches: rounded(report.cpuSeconds),
    peakMemoryMiB: mebibytes(cost),
  };
}

/** How many balls each method settled, the most first. */
export function settlersOf({ balls }: Report): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { settledBy } of balls) if (settledBy !== undefined) counts[settledBy] = (counts[settledBy] ?? 0) + 1;
  return Object.fromEntries(Object.entries(counts).sort(([, a], [, b]) => b - a));
}
