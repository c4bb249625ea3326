import Table from 'cli-table3';
import { createColors } from 'picocolors';
import { type Cost, costByService } from '../cost/cost';
import { type VerdictName, verdictNames } from '../verdict';
import { formatCount, formatInterval, formatNoun, formatSeconds, formatShare, formatUsd } from './format';
import type { Report } from './record';
import { countsOf, cpuSecondsOf, missingBalls, totalCounts, unknownReasons, type VerdictCounts } from './totals';

/** Whether to colour what goes to `stream`: only a terminal that is not dumb, and never with NO_COLOR (no-color.org). */
export function wantsColour(
  stream: { readonly isTTY?: boolean } = process.stdout,
  environment: NodeJS.ProcessEnv = process.env,
): boolean {
  return stream.isTTY === true && !environment.NO_COLOR && environment.TERM !== 'dumb';
}

/** The result of a run for a terminal: one row per radius, the sum of all, and what is missing or went wrong. */
export function summaryTable(report: Report, colour: boolean = wantsColour()): string {
  const paint = createColors(colour);
  const shades: Record<VerdictName, (text: string) => string> = {
    robust: paint.green,
    'not-robust': paint.red,
    unknown: paint.yellow,
    misclassified: paint.dim,
  };
  const shaded = (counts: VerdictCounts): string[] =>
    verdictNames.map((name) => (counts[name] === 0 ? '0' : shades[name](formatCount(counts[name]))));
  const table = new Table({
    head: ['epsilon', ...verdictNames.map((name) => name.replace('-', ' ')), 'certified accuracy', 'CPU'].map((title) =>
      paint.bold(title),
    ),
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right', 'right'],
    style: { head: [], border: [], compact: true },
  });
  for (const radius of report.radii) {
    table.push([
      printable(radius.epsilon),
      ...shaded(countsOf(radius)),
      formatInterval(radius.certifiedAccuracy),
      formatSeconds(cpuSecondsOf(report, radius.epsilon)),
    ]);
  }
  if (report.radii.length > 1) {
    table.push(['all', ...shaded(totalCounts(report)), '', formatSeconds(report.cpuSeconds)]);
  }
  return [table.toString(), ...footLines(report, paint)].join('\n');
}

function footLines(report: Report, paint: ReturnType<typeof createColors>): string[] {
  const { run, cpuSeconds, wallSeconds } = report;
  const lines = [
    `${formatNoun(run.inputs, 'input')}, clean accuracy ${formatShare(run.cleanAccuracy)}; ` +
      `${formatSeconds(cpuSeconds)} of CPU in ${formatSeconds(wallSeconds)}, ${formatNoun(report.rounds, 'round')}`,
  ];
  if (report.cost !== undefined) lines.push(costLine(report.cost));
  const reasons = unknownReasons(report).map(([reason, count]) => `${printable(reason)} ${formatCount(count)}`);
  if (reasons.length > 0) lines.push(`unknown because of: ${reasons.join(', ')}`);
  if (report.status === 'incomplete') lines.push(paint.yellow(paint.bold('the run is incomplete')));
  if (report.status === 'failed') lines.push(paint.red(paint.bold('the run failed')));
  const missing = missingBalls(report);
  if (missing > 0) lines.push(`${formatNoun(missing, 'ball')} without a verdict`);
  return [...lines, ...report.problems.map((problem) => `- ${printable(problem)}`)];
}

/** `would have cost $0.0123 on AWS (Lambda $0.012, ...)` */
export function costLine(cost: Cost): string {
  const services = [...costByService(cost)].map(([service, usd]) => `${service} ${formatUsd(usd)}`);
  const verb = cost.kind === 'aws' ? 'cost' : 'would have cost';
  return (
    `${verb} ${formatUsd(cost.usd)} on AWS, ${formatUsd(cost.usdPerBall)} a ball ` +
    `(${services.join(', ')}; prices of ${cost.region}, ${cost.date})`
  );
}

/** Text of the user without control characters: an escape sequence in a name does not reach the terminal. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, ' ');
}

/** The same for programs (`--json`): counts and intervals, no balls. */
export function summaryJson(report: Report) {
  const { run } = report;
  return {
    run: run.id,
    status: report.status,
    problems: report.problems,
    model: run.request.model,
    modelHash: run.modelHash,
    dataset: run.request.dataset,
    datasetName: run.datasetName,
    datasetHash: run.datasetHash,
    inputs: run.inputs,
    cleanAccuracy: run.cleanAccuracy,
    radii: report.radii.map((radius) => ({ ...radius, cpuSeconds: cpuSecondsOf(report, radius.epsilon) })),
    unknownReasons: Object.fromEntries(unknownReasons(report)),
    missing: missingBalls(report),
    rounds: report.rounds,
    cpuSeconds: report.cpuSeconds,
    wallSeconds: report.wallSeconds,
    ...(report.cost !== undefined && { cost: report.cost }),
  };
}
