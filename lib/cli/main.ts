import path from 'node:path';
import { runCommand } from './program';

/** Entry of `npx baverly`. */
async function main(): Promise<void> {
  const { stdout, stderr, argv } = process;
  process.exitCode = await runCommand(argv.slice(2), { stdout, stderr, worker: path.join(__dirname, 'worker.cjs') });
}

void main();
