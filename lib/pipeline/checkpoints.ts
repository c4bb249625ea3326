import { MissingKeyError, type Storage } from '../storage/storage';
import { checkpointKey } from './keys';

/** A ball of a run. */
interface BallName {
  readonly run: string;
  /** Index into request.epsilons. */
  readonly epsilon: number;
  readonly input: number;
}

/** Objects read at the same time. */
const parallel = 16;

/**
 * What searches of the balls' earlier attempts left (lib/search/checkpoint.ts), in order; undefined where there is nothing. One object per ball, replaced by
 * every attempt that leaves one: whichever of two concurrent attempts wrote last, what it lists as open is open, and the rest is proven.
 */
export async function readCheckpoints(
  storage: Storage,
  balls: readonly BallName[],
): Promise<(Uint8Array | undefined)[]> {
  const found: (Uint8Array | undefined)[] = [];
  for (let start = 0; start < balls.length; start += parallel) {
    const part = balls.slice(start, start + parallel);
    found.push(...(await Promise.all(part.map((ball) => readCheckpoint(storage, ball)))));
  }
  return found;
}

export async function writeCheckpoint(storage: Storage, ball: BallName, checkpoint: Uint8Array): Promise<void> {
  await storage.put(checkpointKey(ball.run, ball.epsilon, ball.input), checkpoint);
}

async function readCheckpoint(storage: Storage, { run, epsilon, input }: BallName): Promise<Uint8Array | undefined> {
  try {
    return await storage.get(checkpointKey(run, epsilon, input));
  } catch (error) {
    if (error instanceof MissingKeyError) return undefined;
    throw error;
  }
}
