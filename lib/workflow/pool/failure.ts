import { BadInputError } from '../../errors';

/** Step Functions keeps at most this many characters of a cause. */
const causeLimit = 32_768;

/**
 * What a handler threw, as Lambda hands it to Step Functions: the error's name, and as cause the JSON
 * `{errorType, errorMessage, trace}`. Ours adds the `problems` of a BadInputError (on AWS they stand in the message).
 */
export function failureOf(thrown: unknown): { error: string; cause: string } {
  if (!(thrown instanceof Error)) {
    return { error: 'Error', cause: JSON.stringify({ errorType: 'Error', errorMessage: String(thrown) }) };
  }
  const errorType = thrown.name;
  const problems = thrown instanceof BadInputError ? { subject: thrown.subject, problems: thrown.problems } : {};
  const trace = thrown.stack?.split('\n').slice(0, 20) ?? [];
  const attempts = [
    { errorType, errorMessage: thrown.message, ...problems, trace },
    { errorType, errorMessage: thrown.message, ...problems },
    // Its own problems fill a BadInputError's message: once is enough.
    { errorType, errorMessage: thrown.message.slice(0, 1_000), ...problems },
    { errorType, errorMessage: thrown.message.slice(0, causeLimit / 8) },
  ].map((cause) => JSON.stringify(cause));
  return { error: errorType, cause: attempts.find(({ length }) => length <= causeLimit) ?? attempts.at(-1)! };
}
