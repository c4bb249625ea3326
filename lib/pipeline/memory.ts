import { defaultMemoryBytes } from '../bounds/bounder';

/** What the process itself, its code and the model take beside bounds and attack, in megabytes. */
const ownMb = 256;

/**
 * The memory cap of bounds and attack of a process: BAVERLY_MEMORY_MB (a local worker) or a share of the Lambda's memory, less what the
 * process itself takes; a default elsewhere.
 */
export function memoryFromEnvironment(env: Readonly<Record<string, string | undefined>> = process.env): number {
  const mb = Number(env.BAVERLY_MEMORY_MB ?? env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE);
  if (!Number.isFinite(mb) || mb <= 0) return defaultMemoryBytes;
  return Math.max(mb - ownMb, mb / 4) * 2 ** 20;
}
