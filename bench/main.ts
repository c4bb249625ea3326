/** `npm run bench -- <name> [options]`: what each measures and how to read it is in bench/README.md. */
import { BadInputError, messageOf } from '../lib/errors';
import { engine } from './engine';
import { group } from './group';
import { real } from './real';
import { scale } from './scale';
import { schedule } from './schedule';
import { imageSets } from './sets';
import { similarity } from './similarity';
import { oval21, vnncomp } from './vnncomp';
import { whole } from './whole';

const benches: Readonly<Record<string, (args: string[]) => Promise<void>>> = {
  engine,
  group,
  oval21,
  real,
  scale,
  schedule,
  sets: imageSets,
  similarity,
  vnncomp,
  whole,
};

/** Ends with exit code 0, 1 where a result is wrong, and 2 where the bench cannot run. */
async function main([name, ...args]: readonly string[]): Promise<void> {
  const names = Object.keys(benches).join(', ');
  if (name === undefined || !Object.hasOwn(benches, name)) {
    const problem = name === undefined ? 'no bench given' : `there is no bench ${name}`;
    throw new BadInputError(`${problem}; usage: npm run bench -- <${names}> [options]`, []);
  }
  await benches[name](args);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  if (error instanceof BadInputError) {
    console.error([error.subject, ...error.problems.map((problem) => `  - ${problem}`)].join('\n'));
    process.exitCode = 2;
    return;
  }
  console.error(process.env.BAVERLY_DEBUG ? error : messageOf(error));
  process.exitCode = 1;
});
