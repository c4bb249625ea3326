import { functionStorage } from '../lib/observe/function';
import { logFailure, logReport } from '../lib/observe/log';
import { countFailure, countReport } from '../lib/observe/metrics';
import { annotate, traced } from '../lib/observe/trace';
import { reportRun } from '../lib/pipeline/report';
import { eventsFromEnvironment } from '../lib/policy/open-events';
import { problemsOfCause } from '../lib/workflow/cause';
import { type ReportOutput, reportInputSchema } from '../lib/workflow/events';

/** States `Report` and `ReportFailure`. */
export const handler = traced('report', async (input): Promise<ReportOutput> => {
  const { run, failed } = reportInputSchema.parse(input);
  annotate({ run: run.id });
  const failure = failed && { error: failed.error, problems: problemsOfCause(failed) };
  if (failure) {
    logFailure(run.id, failure);
    countFailure(run.id, failure.error);
  }
  return reportRun(functionStorage(), run.id, failure, Date.now, eventsFromEnvironment(), (report) => {
    logReport(report);
    countReport(report);
  });
});
