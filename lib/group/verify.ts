import { attack } from '../attack/pgd';
import { replayOn } from '../attack/replay';
import { marginRows, provenMargin } from '../bounds/margin';
import { engineVersion } from '../engine-version';
import type { Box } from '../region/box';
import { labelOf, type Violation, violates } from '../region/violation';
import { decodeCheckpoint, encodeCheckpoint, questionHash } from '../search/checkpoint';
import type { ProofShelf } from '../search/searcher';
import type { UnknownReason, Verdict } from '../verdict';
import type { Effort } from './effort';
import type { Engine } from './engine';
import type { LemmaBounds } from './lemmas/lemmas';

/** A ball of a mini-batch, or a property: a box and what must not happen on it. */
export interface Member {
  readonly box: Box;
  readonly violation: Violation;
  /** Decides the random starts of its attack; the same in whatever mini-batch it is. */
  readonly seed: number;
  /** Where the search of an earlier attempt stopped (lib/search/checkpoint.ts); one that is damaged, or about something else, counts as none. */
  readonly checkpoint?: Uint8Array;
}

/** What a mini-batch found out about a member. `open`: another attempt may settle it. */
export type MemberOutcome = Finding & { readonly cpuSeconds: number };
type Finding =
  | Extract<Verdict, { verdict: 'robust' | 'not-robust' }>
  | {
      readonly verdict: 'open';
      readonly reason: UnknownReason;
      readonly margin?: number;
      /** Where the search stopped, for the next attempt. */
      readonly checkpoint?: Uint8Array;
    };

export interface MiniBatchOutcome {
  /** One per member, in order. */
  readonly members: readonly MemberOutcome[];
  /** Index of the member that a failing mini-batch gives up: the open one with the worst bound. */
  readonly suspect: number | undefined;
}

export interface VerifyOptions {
  readonly effort: Effort;
  /** CPU seconds that the search of one member may take, over all attempts. */
  readonly secondsPerBall: number;
  /** Clock time, ms since the epoch, by which to hand back whatever is known. */
  readonly deadline: number;
  /** Points of the attack that go through the network together. */
  readonly pointsPerCall?: number;
  /** What may be left out, to measure what it brings; off where it is not named. */
  readonly techniques?: Techniques;
}

/** Ways of settling members by what was proven for others (docs/engine.md, section 4). */
export interface Techniques {
  /** Proves boxes of deep layers for many members at once, and settles whatever lies in one (docs/lemmas.md). */
  readonly lemmas: boolean;
  /** Tries on members what proved similar ones, before searching them (docs/search.md, section 7). */
  readonly transfer?: boolean;
}

/**
 * Verifies a mini-batch (docs/engine.md, section 4): the margins of all members are bounded together, as rows of the same products;
 * members that this leaves open are attacked together, and what withstands is searched, one member after the other. Sound for each
 * member by itself: a bound of one never depends on another, but for lemmas, which are proven for all that lies in them; and a witness is
 * replayed on the original model.
 */
export async function verifyMiniBatch(
  engine: Engine,
  members: readonly Member[],
  options: VerifyOptions,
): Promise<MiniBatchOutcome> {
  const clock = cpuClock(members.length);
  const everyone = [...members.keys()];
  const bounds = options.effort.bound ? await clock.share(everyone, () => bound(engine, members, options)) : [];
  const doubtful = everyone.filter((i) => !((bounds[i]?.margin ?? Number.NEGATIVE_INFINITY) > 0));
  const witnesses = await clock.share(doubtful, () => attackMembers(engine, members, doubtful, options));
  const findings = new Map<number, Finding>();
  const proofs: ProofShelf | undefined = options.techniques?.transfer && members.length > 1 ? [] : undefined;
  for (const i of everyone) {
    const witness = witnesses.get(i);
    if (witness) findings.set(i, { verdict: 'not-robust', settledBy: 'attack', ...witness });
    else if (!doubtful.includes(i)) findings.set(i, { verdict: 'robust', ...bounds[i]! });
    else if (options.effort.searchShare === 0 || Date.now() > options.deadline)
      findings.set(i, unsearched(bounds[i]?.margin, options));
    else findings.set(i, await clock.share([i], () => searchMember(engine, members[i], options, proofs)));
  }
  const outcomes = everyone.map((i): MemberOutcome => ({ ...findings.get(i)!, cpuSeconds: clock.of(i) }));
  return { members: outcomes, suspect: worst(outcomes) };
}

function unsearched(margin: number | undefined, { deadline }: VerifyOptions): Finding {
  const late = Date.now() > deadline;
  const overflow = margin === Number.NEGATIVE_INFINITY;
  return {
    verdict: 'open',
    reason: late ? 'time' : overflow ? 'numerics' : 'search not run',
    ...(margin !== undefined && !overflow && { margin }),
  };
}

/** Proven margins, as far as time allows; none for members that were not reached. */
async function bound(
  { bounder, lemmas }: Engine,
  members: readonly Member[],
  { deadline, techniques }: VerifyOptions,
): Promise<{ readonly settledBy: 'bound' | 'lemma'; readonly margin: number }[]> {
  const found: { settledBy: 'bound' | 'lemma'; margin: number }[] = [];
  const { ballsPerCall } = bounder.programs;
  for (let start = 0; start < members.length && Date.now() <= deadline; start += ballsPerCall) {
    const part = members.slice(start, start + ballsPerCall);
    const queries = part.map(({ box, violation }) => ({ box, rows: marginRows(violation) }));
    const bounds: readonly LemmaBounds[] = techniques?.lemmas
      ? await lemmas.bound(queries.map((query, i) => ({ ...query, label: labelOf(part[i].violation) })))
      : await bounder.bound(queries);
    for (const [i, { rows, lemma }] of bounds.entries()) {
      if (lemma === undefined) found.push({ settledBy: 'bound', margin: provenMargin(part[i].violation, rows) });
      else found.push({ settledBy: 'lemma', margin: lemma });
    }
  }
  return found;
}

/** Attacks the doubtful members; the witnesses found, by member. */
async function attackMembers(
  { bounder, original }: Engine,
  members: readonly Member[],
  doubtful: readonly number[],
  { effort, deadline, pointsPerCall = 256 }: VerifyOptions,
): Promise<Map<number, { witness: Float32Array; predicted: number }>> {
  const targets = doubtful.map((i) => members[i]);
  const { restarts, steps } = effort;
  const confirm = replayOn(original, targets);
  const points = await attack(bounder.programs, targets, confirm, { restarts, steps, pointsPerCall, deadline });
  const found = new Map<number, { witness: Float32Array; predicted: number }>();
  for (const [k, witness] of points.entries()) {
    if (!witness) continue;
    // Among others the model may have rounded differently: a witness is replayed alone.
    const scores = await original.scores(witness, 1);
    if (violates(targets[k].violation, scores)) found.set(doubtful[k], { witness, predicted: predictedClass(scores) });
  }
  return found;
}

/** Complete search of one member. Of a conjunction only its first half-space is searched: VNN-COMP's have one. */
async function searchMember(
  { searcher, original, hash }: Engine,
  { box, violation, checkpoint }: Member,
  { effort, secondsPerBall, deadline }: VerifyOptions,
  proofs: ProofShelf | undefined,
): Promise<Finding> {
  // Holds everywhere: only an attack settles that.
  if (violation.some((conjunction) => conjunction.length === 0)) return { verdict: 'open', reason: 'search not run' };
  const rows = violation.flatMap((conjunction) => marginRows([conjunction.slice(0, 1)]));
  const subject = { model: hash, engine: engineVersion, question: questionHash(box, rows), rows: rows.length };
  const earlier = checkpoint && decodeCheckpoint(checkpoint, subject);
  const resume = earlier?.kind === 'accepted' ? earlier.checkpoint : undefined;
  const seconds = effort.searchShare * secondsPerBall;
  const result = await searcher.search(box, violation, rows, deadline, seconds, resume, proofs);
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

/** The class with the highest score, the first of several. */
export function predictedClass(scores: ArrayLike<number>): number {
  let best = 0;
  for (let k = 1; k < scores.length; k++) if (scores[k] > scores[best]) best = k;
  return best;
}

function worst(outcomes: readonly MemberOutcome[]): number | undefined {
  let suspect: number | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const [i, outcome] of outcomes.entries()) {
    if (outcome.verdict !== 'open') continue;
    const margin = outcome.margin ?? Number.NEGATIVE_INFINITY;
    if (suspect === undefined || margin < least) [suspect, least] = [i, margin];
  }
  return suspect;
}

/** CPU-seconds of this process, shared equally among the members that a step worked for. */
function cpuClock(members: number) {
  const seconds = new Float64Array(members);
  return {
    of: (member: number): number => seconds[member],
    async share<T>(among: readonly number[], step: () => Promise<T>): Promise<T> {
      const before = process.cpuUsage();
      const result = await step();
      const { user, system } = process.cpuUsage(before);
      for (const member of among) seconds[member] += (user + system) / 1e6 / among.length;
      return result;
    },
  };
}
