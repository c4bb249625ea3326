import type { NeuronBounds } from '../bounds/bounder';
import type { MemberClock } from './cpu-clock';
import type { Engine } from './engine';
import type { Member } from './member';

/** Bytes of bounds that wait for their search, at most; those of one member nevertheless. */
const mostBytes = 64 * 2 ** 20;

/** Bounds of what the ReLUs read on members' balls, for the searches that begin with them. */
export interface BoundsAhead {
  /** Those of a member, once. Where they are not known yet, those of the members that come next are made with them. */
  take(member: number): Promise<readonly NeuronBounds[]>;
}

/**
 * Bounds several members together, who share what that takes: rows of many balls fill the products that those of one do not. They are each ball's own, the same
 * as alone but for rounding, and proven like them.
 *
 * @param order in which members are searched
 * @param charge does the work for the members that it serves
 */
export function boundsAhead(
  { bounder }: Engine,
  members: readonly Member[],
  order: readonly number[],
  charge: MemberClock['share'],
): BoundsAhead {
  const { network, relus, ballsPerCall } = bounder.programs;
  const bytes = 8 * relus.reduce((sum, relu) => sum + network.nodes[relu].size, 0);
  const most = Math.max(1, Math.min(ballsPerCall, Math.floor(mostBytes / Math.max(1, bytes))));
  /** By member, until they are taken. */
  const made = new Map<number, { readonly bounds: Promise<readonly NeuronBounds[][]>; readonly place: number }>();
  const make = (member: number): void => {
    const start = order.indexOf(member);
    const part = order.slice(start, start + most).filter((other) => !made.has(other));
    const boxes = part.map((other) => members[other].box);
    const bounds = charge(part, () => bounder.preActivationsOf(boxes));
    for (const [place, other] of part.entries()) made.set(other, { bounds, place });
  };
  return {
    async take(member) {
      if (!made.has(member)) make(member);
      const { bounds, place } = made.get(member)!;
      made.delete(member);
      return (await bounds)[place];
    },
  };
}
