import { memoryMb } from './deployment';
import { prices } from './prices';

/** Dollars of a second of a mini-batch: its Lambda, and the Express execution of 64 MB that waits for it. */
export function usdPerSecond(architecture: 'arm64' | 'x64'): number {
  return (memoryMb.verify / 1024) * prices.lambdaGbSecond[architecture] + prices.expressGbSecond / 16;
}

/** Dollars of a mini-batch, however short: its requests to Lambda and Step Functions, its result written, looked for and read. */
const usdPerCall = prices.lambdaRequest + prices.expressRequest + prices.s3Put + 2 * prices.s3Get;

/**
 * What a mini-batch costs beside its seconds, as seconds: 0.29. So much is paid for the object of its result alone as for some thirty easy balls,
 * so that sizes are learned with it (lib/schedule/learn.ts).
 */
export const callSeconds = usdPerCall / usdPerSecond('arm64');
