import { BadInputError } from '../../lib/errors';

/** The problems of the BadInputError that the call throws; fails the test when it throws nothing or something else. */
export function problemsOf(call: () => unknown): readonly string[] {
  try {
    call();
  } catch (error) {
    if (error instanceof BadInputError) return error.problems;
    throw error;
  }
  throw new Error('no BadInputError was thrown');
}
