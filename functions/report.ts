import { logFailure, logReport } from '../lib/observe/log';
import { countFailure, countReport } from '../lib/observe/metrics';
import { reportRun } from '../lib/pipeline/report';
import { eventsFromEnvironment } from '../lib/policy/open-events';
import { storageFromEnvironment } from '../lib/storage/open';
import { problemsOfCause } from '../lib/workflow/cause';
import { type ReportOutput, reportInputSchema } from '../lib/workflow/events';

/** States `Report` and `ReportFailure`. */
export const handler = async (input: unknown): Promise<ReportOutput> => {
  const { run, failed } = reportInputSchema.parse(input);
  const failure = failed && { error: failed.error, problems: problemsOfCause(failed) };
  if (failure) {
    logFailure(run.id, failure);
    countFailure(run.id, failure.error);
  }
  return reportRun(storageFromEnvironment(), run.id, failure, Date.now, eventsFromEnvironment(), (report) => {
    logReport(report);
    countReport(report);
  });
};
