import type { Cost } from '../cost/cost';
import type { Preprocessing } from '../dataset/dataset';
import type { RunRecord } from '../schedule/records';
import { InvalidReportError, problemsOf } from './check';
import { radiusSummaries } from './radii';
import type { BallVerdict, BatchSummary, Learned, Report } from './record';

export interface ReportParts {
  readonly run: RunRecord;
  readonly preprocessing: Preprocessing;
  /** At most one per input and radius, in any order; every one exactly where `status` is `done`. */
  readonly balls: readonly BallVerdict[];
  readonly batches: readonly BatchSummary[];
  /** From the start of the run to its end. */
  readonly wallSeconds: number;
  /** Of all mini-batches, the failed ones included. */
  readonly cpuSeconds: number;
  readonly rounds: number;
  readonly cost?: Cost;
  /** What is known about sizes in the end. */
  readonly learned?: readonly Learned[];
  readonly status: Report['status'];
  readonly problems: readonly string[];
}

/**
 * The report of a run, with its balls in the order of inputs, then radii, and the summary of each radius. Throws
 * InvalidReportError, with everything that is wrong, for parts that contradict each other.
 */
export function buildReport(parts: ReportParts): Report {
  const { run, preprocessing, wallSeconds, cpuSeconds, rounds, status } = parts;
  const rank = new Map(run.request.epsilons.map(({ text }, k) => [text, k]));
  const balls = parts.balls.toSorted(
    (a, b) => a.index - b.index || (rank.get(a.epsilon) ?? 0) - (rank.get(b.epsilon) ?? 0),
  );
  const report: Report = {
    version: 1,
    run,
    preprocessing: {
      layout: preprocessing.layout,
      scale: preprocessing.scale,
      mean: [...preprocessing.mean],
      std: [...preprocessing.std],
      clip: [...preprocessing.clip],
    },
    status,
    problems: [...parts.problems],
    wallSeconds,
    cpuSeconds,
    rounds,
    ...(parts.cost !== undefined && { cost: parts.cost }),
    ...(parts.learned !== undefined && parts.learned.length > 0 && { learned: [...parts.learned] }),
    radii: radiusSummaries(run, balls),
    batches: [...parts.batches],
    balls,
  };
  const problems = problemsOf(report);
  if (problems.length > 0) throw new InvalidReportError(problems);
  return report;
}
