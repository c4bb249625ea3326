import path from 'node:path';
import { judgeAccuracy } from '../dataset/accuracy';
import type { Report } from '../report/record';
import { summaryJson, summaryTable, wantsColour } from '../report/summary-table';
import type { Caps } from '../schedule/caps';
import { codeOf, tooLow } from './conclusion';
import { type ExitCode, exitCodes, printJson, tell } from './exit';
import { command, shownPath } from './files';
import type { Host } from './host';
import { type LocalRunResult, runInFolder } from './local-run';
import { createProgress } from './progress';
import { narrator } from './verbose';

export interface ExecuteOptions {
  readonly folder: string;
  readonly workers: number;
  readonly memory: number;
  readonly json?: boolean;
  readonly verbose?: boolean;
  readonly failBelow?: number;
  /** Other caps than those of the request. */
  readonly caps?: Caps;
  /** Interrupts the run. */
  readonly signal: AbortSignal;
}

/** Runs what is in the folder until it ends or is interrupted, and tells how it ended. */
export async function executeRun(host: Host, options: ExecuteOptions): Promise<ExitCode> {
  const { folder, workers, memory, json, signal, caps } = options;
  const narrate = narrator(host, options);
  const result = await runInFolder({
    ...{ folder, worker: host.worker, workers, memoryMb: memory, signal },
    // Lines of both would be mixed.
    progress: createProgress(json === true || narrate !== undefined, host.stderr),
    ...(narrate && { narrate }),
    ...(caps !== undefined && { caps }),
  });
  return conclude(host, result, options);
}

function conclude(host: Host, result: LocalRunResult, options: ExecuteOptions): ExitCode {
  const { folder, json = false, failBelow } = options;
  const goOn = `Go on with: ${command('resume', folder)}`;
  if (result.kind === 'failed') {
    const { error, problems, hasReport } = result;
    const refused = error === 'BadInputError';
    const subject = refused ? 'the run cannot start' : `the run failed (${error})`;
    const code = refused ? exitCodes.badInput : exitCodes.incomplete;
    const advice = [refused ? '' : goOn, hasReport ? reportLine(folder) : ''].filter(Boolean).join('\n');
    return tell(host, { subject, problems, error, code, advice }, json);
  }
  const { report } = result;
  const code = report === undefined ? exitCodes.incomplete : codeOf(report, failBelow);
  const warnings = report ? warningsOf(report) : [];
  if (json) {
    const summary = report ? summaryJson(report) : { status: 'incomplete' };
    printJson(host, { ...summary, warnings, folder, exitCode: code });
  } else {
    if (report) host.stdout.write(`${summaryTable(report, wantsColour(host.stdout))}\n`);
    host.stderr.write(warnings.map((warning) => `warning: ${warning}\n`).join(''));
  }
  if (result.kind === 'interrupted' && code === exitCodes.incomplete) {
    const counted = report ? ': what the interrupted round had settled is counted when it is resumed' : '';
    host.stderr.write(`Interrupted; nothing that was settled is lost${counted}. ${goOn}\n`);
  } else if (code === exitCodes.incomplete) host.stderr.write(`${goOn}\n`);
  if (code === exitCodes.belowThreshold) host.stderr.write(`${tooLow(report!, failBelow!)}\n`);
  if (report && !json) host.stdout.write(`${reportLine(folder)}\n`);
  return code;
}

const reportLine = (folder: string): string => `Report: ${shownPath(path.join(folder, 'report.html'))}`;

/** What does not stop a run, but may make its verdicts worthless. */
function warningsOf({ run }: Report): string[] {
  if (run.request.acceptLowAccuracy) return [];
  const judgement = judgeAccuracy(Math.round(run.cleanAccuracy * run.inputs), run.inputs, run.classes);
  return judgement.kind === 'too few inputs' && judgement.message !== undefined ? [judgement.message] : [];
}
