import { isDeepStrictEqual } from 'node:util';
import type { z } from 'zod';
import { radiusSummaries } from './radii';
import { type BallVerdict, ballVerdictSchema, batchSummarySchema, type Report, reportSchema } from './record';

/** A report that contradicts itself or its schema: a defect of whoever built it, not of the user's input. */
export class InvalidReportError extends Error {
  override readonly name = 'InvalidReportError';

  constructor(readonly problems: readonly string[]) {
    super(`report is not consistent: ${problems.join('; ')}`);
  }
}

/** More problems than this are counted, not listed. */
const listedProblems = 20;

/**
 * Everything in which a report breaks its schema or contradicts itself: a ball twice, a ball of a radius that the run
 * does not have, a verdict without what belongs to it, counts that are not those of the balls, `done` although balls are
 * missing. Empty: the report is valid.
 * Balls and mini-batches are checked one by one, so that a million of them are not copied.
 */
export function problemsOf(report: unknown): string[] {
  const outer = reportSchema.safeParse(withoutItems(report));
  if (!outer.success) return issuesOf(outer.error, 'report');
  const { balls, batches } = report as { balls: readonly unknown[]; batches: readonly unknown[] };
  const problems = new ProblemList();
  balls.forEach((ball, k) => {
    const parsed = ballVerdictSchema.safeParse(ball);
    if (!parsed.success) problems.add(...issuesOf(parsed.error, `balls[${k}]`));
  });
  batches.forEach((batch, k) => {
    const parsed = batchSummarySchema.safeParse(batch);
    if (!parsed.success) problems.add(...issuesOf(parsed.error, `batches[${k}]`));
  });
  if (problems.none()) contradictions(outer.data, balls as readonly BallVerdict[], problems);
  return problems.all();
}

function withoutItems(report: unknown): unknown {
  if (typeof report !== 'object' || report === null) return report;
  const emptied = (value: unknown): unknown => (Array.isArray(value) ? [] : value);
  const { balls, batches, ...rest } = report as Record<string, unknown>;
  return { ...rest, balls: emptied(balls), batches: emptied(batches) };
}

function issuesOf(error: z.ZodError, where: string): string[] {
  return error.issues.map((issue) => `${[where, ...issue.path.map(String)].join('.')}: ${issue.message}`);
}

function contradictions({ run, status, radii }: Report, balls: readonly BallVerdict[], problems: ProblemList): void {
  const seen = new Map(radii.map(({ epsilon }) => [epsilon, new Set<number>()]));
  if (seen.size < radii.length) problems.add('radii: two are written alike');
  for (const ball of balls) {
    const name = `ball ${ball.index} at ${ball.epsilon}`;
    const indices = seen.get(ball.epsilon);
    if (indices === undefined) problems.add(`${name}: the run has no such radius`);
    else if (indices.has(ball.index)) problems.add(`${name}: has two verdicts`);
    else indices.add(ball.index);
    const missing = missingPart(ball);
    if (missing !== undefined) problems.add(`${name}: ${ball.verdict} without ${missing}`);
  }
  if (!isDeepStrictEqual(radii, radiusSummaries(run, balls))) problems.add('radii: not the counts of the balls');
  for (const [epsilon, indices] of seen) {
    if (indices.size > run.inputs) problems.add(`${indices.size} balls at ${epsilon}, but only ${run.inputs} inputs`);
    if (status === 'done' && indices.size < run.inputs) {
      problems.add(`status is done, but ${run.inputs - indices.size} balls at ${epsilon} have no verdict`);
    }
  }
}

function missingPart({ verdict, reason, settledBy, predicted, witness }: BallVerdict): string | undefined {
  if (verdict === 'unknown') return reason ? undefined : 'a reason';
  if (settledBy === undefined) return 'what settled it';
  if (verdict === 'robust') return undefined;
  if (predicted === undefined) return 'the predicted class';
  return verdict === 'not-robust' && witness === undefined ? 'a witness' : undefined;
}

class ProblemList {
  private readonly listed: string[] = [];
  private more = 0;

  add(...problems: readonly string[]): void {
    for (const problem of problems) {
      if (this.listed.length < listedProblems) this.listed.push(problem);
      else this.more++;
    }
  }

  none(): boolean {
    return this.listed.length === 0;
  }

  all(): string[] {
    return this.more === 0 ? this.listed : [...this.listed, `and ${this.more} more problems`];
  }
}
