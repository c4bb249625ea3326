import { existsSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(process.env.BAVERLY_DATA ?? path.join(__dirname, '../../../shared/data'));

/** Path of a file of the benchmark data (networks, MNIST, VNN-COMP properties), which is never part of this repository. */
export function sharedData(file: string): string {
  return path.join(root, file);
}

/**
 * `describe` for suites that need benchmark data. Where the folder is absent the suite is reported as skipped with the
 * reason in its name; with `CI=true` the absence is a failing test instead.
 */
export function describeWithData(name: string, suite: () => void): void {
  if (existsSync(root)) {
    describe(name, suite);
  } else if (process.env.CI === 'true') {
    test(`${name}: benchmark data`, () => {
      throw new Error(`benchmark data is missing at ${root}; set BAVERLY_DATA to its folder`);
    });
  } else {
    const skip = describe.skip;
    skip(`${name} (no benchmark data; set BAVERLY_DATA to its folder)`, suite);
  }
}
