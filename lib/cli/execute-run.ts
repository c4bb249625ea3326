import path from 'node:path';
import type { Report } from '../report/record';
import { summaryJson, summaryTable } from '../report/summary-table';
import { type ExitCode, exitCodes } from './exit';
import { type LocalRunResult, runInFolder } from './local-run';
import { createProgress } from './progress';

export interface ExecuteOptions {
  readonly folder: string;
  readonly workers: number;
  readonly memory: number;
  readonly json?: boolean;
  readonly failBelow?: number;
}

/** Runs what is in the folder until it ends or Ctrl-C is pressed; a second Ctrl-C ends the process at once. */
export async function executeRun({ folder, workers, memory, json }: ExecuteOptions): Promise<LocalRunResult> {
  const controller = new AbortController();
  const interrupt = (): void => controller.abort(new Error('interrupted'));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, interrupt);
  try {
    return await runInFolder({
      folder,
      workers,
      memoryMb: memory,
      progress: createProgress(json === true),
      signal: controller.signal,
    });
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.removeListener(signal, interrupt);
  }
}

/** Tells how the run ended, and gives the exit code. */
export function conclude(result: LocalRunResult, options: ExecuteOptions): ExitCode {
  const { folder, json, failBelow } = options;
  const shown = path.relative(process.cwd(), folder) || '.';
  const goOn = `Go on with: npx baverly resume ${shown}`;
  if (result.kind === 'failed') {
    const code = result.error === 'BadInputError' ? exitCodes.badInput : exitCodes.incomplete;
    if (json) printJson({ status: 'failed', error: result.error, problems: result.problems, folder, exitCode: code });
    else {
      console.error(`The run failed (${result.error}):`);
      for (const problem of result.problems) console.error(`  - ${problem}`);
      if (code === exitCodes.incomplete) console.error(goOn);
    }
    return code;
  }
  const { report } = result;
  const code = result.kind === 'interrupted' ? exitCodes.incomplete : codeOf(report!, failBelow);
  if (json) {
    printJson({ ...(report ? summaryJson(report) : { status: 'incomplete' }), folder, exitCode: code });
    return code;
  }
  if (report) console.log(summaryTable(report));
  if (result.kind === 'interrupted') console.error(`Interrupted; nothing that was settled is lost. ${goOn}`);
  else if (code === exitCodes.incomplete) console.error(goOn);
  if (code === exitCodes.belowThreshold) console.error(`The certified accuracy is below ${failBelow}.`);
  if (report) console.log(`Report: ${path.join(shown, 'report.html')}`);
  return code;
}

function codeOf(report: Report, failBelow: number | undefined): ExitCode {
  if (report.status !== 'done') return exitCodes.incomplete;
  const isBelow = failBelow !== undefined && report.radii.some(({ certifiedAccuracy: [least] }) => least < failBelow);
  return isBelow ? exitCodes.belowThreshold : exitCodes.done;
}

function printJson(value: object): void {
  console.log(JSON.stringify(value, null, 2));
}
