import { Logger } from '@aws-lambda-powertools/logger';
import type { FailureRecord } from '../pipeline/report';
import type { VerifySummary } from '../pipeline/verify';
import type { DispatchRecord } from '../policy/record';
import type { Report } from '../report/record';
import { missingBalls, totalCounts } from '../report/totals';
import type { MiniBatch } from '../schedule/records';
import type { Round } from '../workflow/events';

/**
 * Lines of JSON on stdout, which CloudWatch keeps and searches by field: `run`, `round`, `batch`. The processes of a local run have a
 * stdout that nobody prints. `POWERTOOLS_LOG_LEVEL` sets the least level.
 */
const logger = new Logger({ serviceName: 'baverly' });

/** A mini-batch that gave a result: members by what was found out about them. */
export function logMiniBatch(batch: MiniBatch, { id, robust, notRobust, open }: VerifySummary): void {
  const { run, round, attempt, size } = batch;
  logger.info('mini-batch verified', { run, round, batch: id, attempt, size, robust, notRobust, open });
}

/** A round that was planned, by `plan` or after another was merged; `done` where none was left to plan. */
export function logRound(run: string, { number, batches, long, done, scan }: Round): void {
  logger.info(done ? 'run verified' : 'round planned', { run, round: number, batches, long, scan: scan === true });
}

/** What an upload or a night started; as an error where something kept runs from being started. */
export function logDispatch({ occasion, model, scheduled, runs, problems }: DispatchRecord): void {
  const started = runs.map(({ run, state }) => ({ run, state }));
  if (problems.length === 0) logger.info('runs dispatched', { occasion, model, scheduled, runs: started });
  else logger.error('not all dispatched', { occasion, model, scheduled, runs: started, problems });
}

/** Why a run ended without a complete report: one line, with all that failure.json says. */
export function logFailure(run: string, { error, problems }: FailureRecord): void {
  logger.error('run failed', { run, reason: error, problems });
}

/** What a report says of its run, in numbers. */
export function logReport(report: Report): void {
  const { run, status, rounds, cpuSeconds, cost, problems } = report;
  const counts = { ...totalCounts(report), missing: missingBalls(report) };
  logger.info('run reported', { run: run.id, status, rounds, ...counts, cpuSeconds, usd: cost?.usd, problems });
}
