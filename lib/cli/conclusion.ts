import type { Report } from '../report/record';
import { type ExitCode, exitCodes } from './exit';

/** The exit code of a run that ended with this report. */
export function codeOf(report: Report, failBelow: number | undefined): ExitCode {
  if (report.status !== 'done') return exitCodes.incomplete;
  return below(report, failBelow ?? 0).length > 0 ? exitCodes.belowThreshold : exitCodes.done;
}

/** The radii at which less than this share of the inputs is proven. */
function below(report: Report, threshold: number): Report['radii'] {
  return report.radii.filter(({ certifiedAccuracy: [least] }) => least < threshold);
}

export function tooLow(report: Report, threshold: number): string {
  const radii = below(report, threshold).map(({ epsilon, certifiedAccuracy: [least] }) => `${least} at ${epsilon}`);
  return `The proven certified accuracy is below ${threshold}: ${radii.join(', ')}.`;
}
