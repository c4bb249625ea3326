import { z } from 'zod';
import type { Failure } from './events';

const lambdaCauseSchema = z.looseObject({
  errorMessage: z.string(),
  /** What was being read, and all that is wrong with it: of a BadInputError. */
  subject: z.string().optional(),
  problems: z.array(z.string()).optional(),
});

/**
 * Why a Lambda or a state failed, for people: every problem of bad input, else the error's message, else the cause as it
 * is. Lambda's causes are JSON; `Lambda.Unknown` has it at the end of a sentence ("Returned payload: {...}").
 */
export function problemsOfCause({ error, cause }: Failure): string[] {
  const parsed = lambdaCauseSchema.safeParse(parseJson(cause.slice(Math.max(0, cause.indexOf('{')))));
  if (!parsed.success) return [cause === '' ? error : cause];
  const { subject, problems = [], errorMessage } = parsed.data;
  if (problems.length === 0) return [errorMessage];
  return subject === undefined ? problems : problems.map((problem) => `${subject}: ${problem}`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
