import type { NeuronBounds } from '../bounds/bounder';
import { marginRows } from '../bounds/margin';
import { engineVersion } from '../engine-version';
import { labelOf } from '../region/violation';
import { decodeCheckpoint, encodeCheckpoint, questionHash } from '../search/checkpoint';
import type { Lane } from '../search/frontier';
import { type ProofShelf, type SearchOptions, searchesAtOnce } from '../search/searcher';
import { boundsAhead } from './bounds-ahead';
import type { MemberClock } from './cpu-clock';
import type { Engine } from './engine';
import type { Finding, Member } from './member';
import { predictedClass } from './predicted-class';
import { plainStep } from './step';
import type { VerifyOptions } from './verify';

/**
 * Searches some members, as far as time allows; those that were not reached are missing from the result. Several at the same time, with common calls
 * (lib/search/frontier.ts), where that is switched on. What a member takes is charged to it either way.
 */
export async function searchMembers(
  engine: Engine,
  members: readonly Member[],
  chosen: readonly number[],
  options: VerifyOptions,
  clock: MemberClock,
): Promise<Map<number, Finding>> {
  const { effort, deadline, techniques, step = plainStep } = options;
  const found = new Map<number, Finding>();
  if (effort.searchShare === 0) return found;
  const transfers = techniques?.transfer === true && members.length > 1;
  /** What proved members, by label: functionals of other labels are others. */
  const shelves = new Map<number | undefined, ProofShelf>();
  const shelfOf = ({ violation }: Member): ProofShelf | undefined => {
    if (!transfers) return undefined;
    const label = labelOf(violation);
    const shelf = shelves.get(label) ?? [];
    shelves.set(label, shelf);
    return shelf;
  };
  const search = (i: number, bounds: readonly NeuronBounds[], lane?: Lane): Promise<Finding> =>
    step('search', () => {
      const limits = { deadline, cpuSeconds: searchSeconds(options, clock.of(i)) };
      return searchMember(engine, members[i], bounds, limits, shelfOf(members[i]), lane);
    });
  const waiting = [...chosen];
  /** Takes members until none is left. */
  const each = async (work: (i: number) => Promise<void>): Promise<void> => {
    for (let i = waiting.shift(); i !== undefined; i = waiting.shift()) {
      if (Date.now() > deadline) return;
      await work(i);
    }
  };
  // With transfer members profit from those before them: one after the other.
  const jointly = !transfers && techniques?.jointSearch === true;
  if (chosen.length < 2 || !jointly) {
    const ahead = boundsAhead(engine, members, chosen, clock.share);
    await each(async (i) => {
      const bounds = await ahead.take(i);
      found.set(i, await clock.share([i], () => search(i, bounds)));
    });
    return found;
  }
  const frontier = engine.searcher.frontier();
  // Whoever makes them pays: what others do meanwhile is not to be charged to those that share.
  const ahead = boundsAhead(engine, members, chosen, (_, work) => work());
  const workers = Array.from({ length: Math.min(searchesAtOnce, chosen.length) }, () =>
    each(async (i) => {
      const lane = frontier.join();
      try {
        const bounds = await ahead.take(i);
        found.set(i, await search(i, bounds, lane));
      } finally {
        lane.leave();
        clock.add(i, lane.cpuClock() / 1e6);
      }
    }),
  );
  // All come to their end before a failure is passed on: none is left behind in the middle of a call.
  const failed = (await Promise.allSettled(workers)).find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
  return found;
}

/**
 * CPU-seconds for the search of a member: the attempt's share, less what its bounds and attack took; half of the share at least, since a slow attack would leave none.
 *
 * @param spent CPU-seconds of the member in this attempt
 */
export function searchSeconds(
  { effort, secondsPerBall }: Pick<VerifyOptions, 'effort' | 'secondsPerBall'>,
  spent: number,
): number {
  const share = effort.searchShare * secondsPerBall;
  return Math.max(share - spent, share / 2);
}

/** Complete search of one member. Of a conjunction only its first half-space is searched: VNN-COMP's have one. */
async function searchMember(
  { searcher, original, hash }: Engine,
  { box, violation, checkpoint }: Member,
  bounds: readonly NeuronBounds[],
  limits: Pick<SearchOptions, 'deadline' | 'cpuSeconds'>,
  proofs: ProofShelf | undefined,
  lane: Lane | undefined,
): Promise<Finding> {
  // Holds everywhere: only an attack settles that.
  if (violation.some((conjunction) => conjunction.length === 0)) return { verdict: 'open', reason: 'search not run' };
  const rows = violation.flatMap((conjunction) => marginRows([conjunction.slice(0, 1)]));
  const subject = { model: hash, engine: engineVersion, question: questionHash(box, rows), rows: rows.length };
  const earlier = checkpoint && decodeCheckpoint(checkpoint, subject);
  const result = await searcher.search(box, violation, rows, {
    ...limits,
    bounds,
    ...(earlier?.kind === 'accepted' && { resume: earlier.checkpoint }),
    ...(proofs && { proofs }),
    ...(lane && { lane }),
  });
  switch (result.kind) {
    case 'proven':
      return { verdict: 'robust', settledBy: result.branched ? 'search' : 'optimised bound', margin: result.margin };
    case 'transferred':
      return { verdict: 'robust', settledBy: 'transfer', margin: result.margin };
    case 'witness': {
      const { witness } = result;
      const predicted = predictedClass(await original.scores(witness, 1));
      return { verdict: 'not-robust', settledBy: 'search', witness, predicted };
    }
    case 'open': {
      const { reason, margin, checkpoint: open } = result;
      return {
        verdict: 'open',
        reason: reason === 'stuck' ? 'numerics' : reason,
        ...(Number.isFinite(margin) && { margin }),
        ...(open && { checkpoint: encodeCheckpoint(subject, open) }),
      };
    }
  }
}
