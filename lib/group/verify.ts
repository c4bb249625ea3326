import { attack } from '../attack/pgd';
import { replayOn } from '../attack/replay';
import { marginRows, provenMargin } from '../bounds/margin';
import { labelOf, violates } from '../region/violation';
import { cpuClock } from './cpu-clock';
import type { Effort } from './effort';
import type { Engine } from './engine';
import type { LemmaBounds } from './lemmas/lemmas';
import type { Finding, Member, MemberOutcome } from './member';
import { predictedClass } from './predicted-class';
import { searchMembers } from './search-members';
import { plainStep, type Step } from './step';
import type { Techniques } from './techniques';

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
  /** Does `bounds`, `attack` and `search`, for several members or each. */
  readonly step?: Step;
}

/**
 * Verifies a mini-batch (docs/engine.md, section 4): the margins of all members are bounded together, as rows of the same products;
 * members that this leaves open are attacked together, and what withstands is searched. Sound for each
 * member by itself: a bound of one never depends on another, but for lemmas, which are proven for all that lies in them; and a witness is
 * replayed on the original model.
 */
export async function verifyMiniBatch(
  engine: Engine,
  members: readonly Member[],
  options: VerifyOptions,
): Promise<MiniBatchOutcome> {
  const clock = cpuClock(members.length);
  const { step = plainStep } = options;
  const everyone = [...members.keys()];
  const bounds = options.effort.bound
    ? await clock.share(everyone, () => step('bounds', () => bound(engine, members, options)))
    : [];
  const doubtful = everyone.filter((i) => !((bounds[i]?.margin ?? Number.NEGATIVE_INFINITY) > 0));
  const witnesses = await clock.share(doubtful, () =>
    step('attack', () => attackMembers(engine, members, doubtful, options)),
  );
  const findings = new Map<number, Finding>();
  const withstood: number[] = [];
  for (const i of everyone) {
    const witness = witnesses.get(i);
    if (witness) findings.set(i, { verdict: 'not-robust', settledBy: 'attack', ...witness });
    else if (!doubtful.includes(i)) findings.set(i, { verdict: 'robust', ...bounds[i]! });
    else withstood.push(i);
  }
  const searched = await step('search', () => searchMembers(engine, members, withstood, options, clock));
  for (const i of withstood) findings.set(i, searched.get(i) ?? unsearched(bounds[i]?.margin, options));
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
  { bounder, lemmas, joint }: Engine,
  members: readonly Member[],
  { deadline, techniques }: VerifyOptions,
): Promise<{ readonly settledBy: 'bound' | 'joint bound' | 'lemma'; readonly margin: number }[]> {
  const found: { settledBy: 'bound' | 'joint bound' | 'lemma'; margin: number }[] = [];
  const { ballsPerCall } = bounder.programs;
  for (let start = 0; start < members.length && Date.now() <= deadline; start += ballsPerCall) {
    const part = members.slice(start, start + ballsPerCall);
    const jointly = techniques?.jointBounds ? await joint.prove(part) : new Map<number, number>();
    const rest = part.filter((_, i) => !jointly.has(i));
    const queries = rest.map(({ box, violation }) => ({ box, rows: marginRows(violation) }));
    const bounds = await joint.individually(
      part,
      rest.length,
      (): Promise<readonly LemmaBounds[]> =>
        techniques?.lemmas
          ? lemmas.bound(queries.map((query, i) => ({ ...query, label: labelOf(rest[i].violation) })))
          : bounder.bound(queries),
    );
    for (let i = 0, at = 0; i < part.length; i++) {
      const margin = jointly.get(i);
      if (margin !== undefined) {
        found.push({ settledBy: 'joint bound', margin });
        continue;
      }
      const { rows, lemma } = bounds[at++];
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
  const { restarts, steps, patience } = effort;
  const confirm = replayOn(original, targets);
  const points = await attack(bounder.programs, targets, confirm, {
    restarts,
    steps,
    patience,
    pointsPerCall,
    deadline,
  });
  const found = new Map<number, { witness: Float32Array; predicted: number }>();
  for (const [k, witness] of points.entries()) {
    if (!witness) continue;
    // Among others the model may have rounded differently: a witness is replayed alone.
    const scores = await original.scores(witness, 1);
    if (violates(targets[k].violation, scores)) found.set(doubtful[k], { witness, predicted: predictedClass(scores) });
  }
  return found;
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
