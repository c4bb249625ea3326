/**
 * Something the user gave cannot be used. Carries every problem found, each saying what, where and what to do; the
 * command line prints them and ends with exit code 2.
 */
export class BadInputError extends Error {
  override readonly name = 'BadInputError';

  constructor(
    /** What was being read, e.g. `model mnist.onnx`. */
    readonly subject: string,
    readonly problems: readonly string[],
    options?: ErrorOptions,
  ) {
    super(`${subject}: ${problems.join('; ')}`, options);
  }
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
