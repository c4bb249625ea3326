import type { Bounder } from '../bounds/bounder';
import { createJointBounder } from '../bounds/joint/joint';
import { marginRows, provenMargin } from '../bounds/margin';
import type { Box } from '../region/box';
import type { Violation } from '../region/violation';
import { cpuSeconds } from './lemmas/account';

/** What is asked of one ball. */
export interface JointQuestion {
  readonly box: Box;
  readonly violation: Violation;
}

/** Joint bounds of the members of mini-batches, where they are seen to pay. */
export interface JointBounds {
  /** Proven margins > 0, by index; the others are open, all of them where joint bounds are not tried. */
  prove(members: readonly JointQuestion[]): Promise<Map<number, number>>;
  /** Does `step`, the bounds of `open` of the members by themselves, and learns what that costs. */
  individually<T>(members: readonly JointQuestion[], open: number, step: () => Promise<T>): Promise<T>;
  release(): Promise<void>;
}

export interface JointOptions {
  /** CPU-seconds of individual bounds before joint ones are tried: their programs take some 0.05 to compile. */
  readonly startAfter?: number;
  /** Tries them on every mini-batch that is large enough, whether that pays or not. */
  readonly always?: boolean;
}

/** Fewer members share too little. */
const fewest = 4;
/** Of more, the neurons that may be active on some are too many. */
const most = 64;
const defaultStart = 0.5;

/** CPU-seconds, and balls, of one kind of mini-batch: of this radius and size. */
interface Experience {
  readonly joint: { seconds: number; balls: number; proven: number };
  readonly alone: { seconds: number; balls: number };
  refused: number;
  nextTry: number;
}

/**
 * Joint bounds weakly settle many members cheaply; what they leave open costs both. Whether they win is measured for each radius and size: they
 * are tried as long as their seconds a ball are below what they save, and seldom, ever more seldom, after that. Clocks decide only cost:
 * whoever is left open is bounded individually.
 */
export function createJointBounds(
  bounder: Bounder,
  { startAfter = defaultStart, always = false }: JointOptions = {},
): JointBounds {
  const joint = createJointBounder(bounder.programs);
  const records = new Map<string, Experience>();
  let boundSeconds = 0;
  const recordOf = (members: readonly JointQuestion[]): Experience => {
    const key = kindOf(members);
    const found = records.get(key) ?? {
      joint: { seconds: 0, balls: 0, proven: 0 },
      alone: { seconds: 0, balls: 0 },
      refused: 0,
      nextTry: 1,
    };
    records.set(key, found);
    return found;
  };
  const isWorthTrying = (members: readonly JointQuestion[]): boolean => {
    if (!joint.applies || members.length < fewest) return false;
    if (always) return true;
    if (boundSeconds < startAfter) return false;
    const record = recordOf(members);
    if (record.alone.balls === 0) return false;
    if (pays(record)) return true;
    if (++record.refused < record.nextTry) return false;
    record.refused = 0;
    record.nextTry *= 2;
    return true;
  };
  return {
    async prove(members) {
      const proven = new Map<number, number>();
      if (!isWorthTrying(members)) return proven;
      const { joint: account } = recordOf(members);
      const start = cpuSeconds();
      for (let at = 0; at < members.length; at += most) {
        const part = members.slice(at, at + most);
        const bounds = await joint.bound(part.map(({ box, violation }) => ({ box, rows: marginRows(violation) })));
        for (const [i, rows] of bounds.entries()) {
          const margin = provenMargin(part[i].violation, rows);
          if (margin > 0) proven.set(at + i, margin);
        }
      }
      account.seconds += cpuSeconds() - start;
      account.balls += members.length;
      account.proven += proven.size;
      return proven;
    },
    async individually(members, open, step) {
      if (open === 0) return step();
      const { alone } = recordOf(members);
      const start = cpuSeconds();
      const result = await step();
      const seconds = cpuSeconds() - start;
      boundSeconds += seconds;
      alone.seconds += seconds;
      alone.balls += open;
      return result;
    },
    release: () => joint.release(),
  };
}

/** The first two tries are for free: they also compile the programs. */
function pays({ joint, alone }: Experience): boolean {
  if (joint.balls === 0) return true;
  return joint.seconds / joint.balls < (joint.proven / joint.balls) * (alone.seconds / alone.balls);
}

/** Radius, in steps of a fifth, and number of members, in powers of two. */
function kindOf(members: readonly JointQuestion[]): string {
  const { lower, upper } = members[0].box;
  let radius = 0;
  for (let i = 0; i < lower.length; i++) radius = Math.max(radius, upper[i] - lower[i]);
  return `${Math.round(Math.log2(radius) * 4)} ${Math.floor(Math.log2(members.length))}`;
}
