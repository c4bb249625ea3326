import { BadInputError } from './errors';

/** Gathers the problems of several things that are read, so that the user gets to know all of them at once. */
export class Problems {
  private readonly found: string[] = [];

  get isEmpty(): boolean {
    return this.found.length === 0;
  }

  add(...problems: readonly string[]): void {
    this.found.push(...problems);
  }

  /** What `read` returns, or undefined after noting what is wrong with it. */
  of<T>(read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof BadInputError)) throw error;
      this.add(...error.problems.map((problem) => `${error.subject}: ${problem}`));
      return undefined;
    }
  }

  error(subject: string): BadInputError {
    return new BadInputError(subject, this.found);
  }

  /** Throws a BadInputError if anything was wrong. */
  check(subject: string): void {
    if (!this.isEmpty) throw this.error(subject);
  }
}
