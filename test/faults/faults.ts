import { type Random, random } from '../../lib/random';

/** What may go wrong at a request to storage, and what the process that made it sees. */
export const storageFaults = [
  /** S3 answers 500 or 503 (SlowDown) until the SDK gives up: nothing is done, the call throws. */
  'storage unavailable',
  /** It is done, and the answer is lost: the call throws. */
  'answer of storage lost',
  /** Another conditional write is in progress (409) until the SDK gives up. */
  'conflicting write',
  /** Half of a mini-batch's result is written, by a process that then dies. */
  'torn result',
  'killed before a request',
  'killed after a request',
  'out of memory',
  /** The process never goes on, and is killed at its time-out. */
  'hung',
  /** The state machine gives up waiting, the process goes on later: what it writes comes out of order. */
  'late',
] as const;

/** What may go wrong about a call of a function. */
export const callFaults = ['throttled', 'delivered twice', 'answer of the call lost', 'clock jump'] as const;

export type StorageFault = (typeof storageFaults)[number];
export type CallFault = (typeof callFaults)[number];
export type Fault = StorageFault | CallFault;

/** Draws the faults of a run. What is drawn for a request depends on nothing but the seed and the request's name, so that a seed replays. */
export interface Faults {
  /** The fault of the named request or call; undefined: none. Counts it. */
  draw<Kind extends Fault>(name: string, kinds: readonly Kind[], rate: number): Kind | undefined;
  /** A stream of its own for the named thing. */
  rng(name: string): Random;
  readonly injected: ReadonlyMap<Fault, number>;
}

export function seededFaults(seed: number): Faults {
  const injected = new Map<Fault, number>();
  const rng = (name: string): Random => random(seed, ...new TextEncoder().encode(name));
  return {
    rng,
    injected,
    draw(name, kinds, rate) {
      const stream = rng(name);
      if (stream.uniform() >= rate) return undefined;
      const kind = kinds[stream.int(kinds.length)];
      injected.set(kind, (injected.get(kind) ?? 0) + 1);
      return kind;
    },
  };
}

/** All that were injected. */
export const total = (injected: ReadonlyMap<Fault, number>): number =>
  [...injected.values()].reduce((sum, count) => sum + count, 0);
