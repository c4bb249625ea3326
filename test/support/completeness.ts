import { createEngine, type Engine } from '../../lib/group/engine';
import type { MemberOutcome } from '../../lib/group/member';
import { verifyMiniBatch } from '../../lib/group/verify';
import { evaluate } from '../../lib/network/evaluate';
import { random } from '../../lib/random';
import { type Box, contains } from '../../lib/region/box';
import { inward } from '../../lib/region/outward';
import { type Violation, violates } from '../../lib/region/violation';
import { exactMinima, type Minimum } from './brute-force';
import { mixedIntegerMinimum } from './milp';
import { smallNets } from './small-nets';

/**
 * Where the minimum of the smallest margin is moved to. Enumeration and MILP know it to some 1e-9; `tie` is exactly 0 where the net is dyadic
 * and -1e-8 elsewhere.
 */
export const distances = [0.03, -0.03, 1e-6, -1e-6, 'tie'] as const;

/** How the two references may differ from each other: HiGHS's tolerances of 1e-10 times the constants of a big-M program. */
const tolerance = 1e-7;

/** Cases by verdict; `exactTies` of them were ties that a float32 point realises. */
export interface CaseCount {
  cases: number;
  robust: number;
  'not-robust': number;
  open: number;
  exactTies: number;
}

export function noCases(): CaseCount {
  return { cases: 0, robust: 0, 'not-robust': 0, open: 0, exactTies: 0 };
}

/**
 * The cases of one seed: a net, a box, and all `distances`. What is demanded of the verdicts, given enough time:
 * - a minimum above 0: robust, its margin at most the minimum;
 * - a minimum below 0: never robust. Not-robust, with a witness of the box that the model in float32 misclassifies, wherever the float32 point next
 *   to the exact minimiser is one; where it is not, the model's own rounding hides the violation (it is smaller than that), and open is right;
 * - a tie: never robust, and not-robust where a float32 point realises it.
 *
 * @returns what was demanded and did not hold
 */
export async function checkCases(seed: number, count: CaseCount): Promise<string[]> {
  const { kind, make } = smallNets[seed % smallNets.length];
  const failures: string[] = [];
  const engine = await createEngine(make(seed), `net ${seed}`);
  try {
    const { network, original } = engine;
    const box = fewWide(network.inputSize, seed, kind === 'dyadic');
    const centre = Float32Array.from(box.lower, (low, i) => (low + box.upper[i]) / 2);
    const scores = await original.scores(centre, 1);
    const label = scores.indexOf(Math.max(...scores));
    const margins = Array.from({ length: network.classes }, (_, k) => k)
      .filter((k) => k !== label)
      .map((k) => Float64Array.from({ length: network.classes }, (_, c) => Number(c === label) - Number(c === k)));
    const minima = await exactMinima(network, box, margins);
    for (const [k, { value }] of minima.entries()) {
      const milp = await mixedIntegerMinimum(network, box, margins[k]);
      if (!(Math.abs(milp.value - value) <= tolerance)) failures.push(`enumeration ${value}, MILP ${milp.value}`);
    }
    const least = minima.reduce((a, b) => (b.value < a.value ? b : a));
    for (const distance of distances) {
      const { shift, at } = placed(engine, least, margins[minima.indexOf(least)], box, distance);
      const violation: Violation = margins.map((coefficients) => [
        { coefficients: coefficients.map((c) => -c), offset: -shift },
      ]);
      const outcome = await settle(engine, box, violation, seed);
      count.cases++;
      count[outcome.verdict]++;
      const realised = contains(box, at) && violates(violation, await original.scores(at, 1));
      if (distance === 'tie' && kind === 'dyadic' && realised) count.exactTies++;
      const wrong = await objection(engine, box, violation, outcome, least.value + shift, realised);
      if (wrong) failures.push(`${kind}, ${distance}: ${wrong}`);
    }
  } finally {
    await engine.release();
  }
  return failures.map((text) => `seed ${seed}: ${text}`);
}

/** What is wrong with the outcome, if anything. */
async function objection(
  { original }: Engine,
  box: Box,
  violation: Violation,
  outcome: MemberOutcome,
  minimum: number,
  realised: boolean,
): Promise<string | undefined> {
  const isAbove = minimum > tolerance;
  switch (outcome.verdict) {
    case 'robust':
      if (!isAbove) return `robust, minimum ${minimum}`;
      return outcome.margin <= minimum + tolerance ? undefined : `margin ${outcome.margin} of ${minimum}`;
    case 'not-robust':
      // A minimum above 0 that is smaller than the model's own roundings may have a point that the model misclassifies.
      if (minimum > 1e-4) return `not robust, minimum ${minimum}`;
      return contains(box, outcome.witness) && violates(violation, await original.scores(outcome.witness, 1))
        ? undefined
        : 'a witness that does not replay';
    case 'open':
      if (isAbove) return `open (${outcome.reason}) above ${outcome.margin}, minimum ${minimum}`;
      return realised ? `open (${outcome.reason}), but there is a witness` : undefined;
  }
}

async function settle(engine: Engine, box: Box, violation: Violation, seed: number): Promise<MemberOutcome> {
  const { members } = await verifyMiniBatch(engine, [{ box, violation, seed }], {
    effort: { bound: true, restarts: 2, steps: 10, patience: 2, searchShare: 1 },
    secondsPerBall: 200,
    deadline: Date.now() + 400_000,
  });
  return members[0];
}

/** The offset that puts the minimum where it is asked, and the float32 point of the box next to the minimiser. */
function placed(
  { network }: Engine,
  { value, point }: Minimum,
  margin: Float64Array,
  box: Box,
  distance: (typeof distances)[number],
): { readonly shift: number; readonly at: Float32Array } {
  const inside = inward(box);
  if (inside.empty) throw new RangeError('a box without a float32 point');
  const at = Float32Array.from(point, (x, i) => Math.min(Math.max(Math.fround(x), inside.lower[i]), inside.upper[i]));
  if (distance !== 'tie') return { shift: distance - value, at };
  const there = evaluate(network, at)[network.output].reduce((sum, score, k) => sum + margin[k] * score, 0);
  // At a dyadic point of a dyadic net this is the exact value.
  const isExact = Math.abs(there - value) < 1e-9 && at.every((x) => Number.isInteger(x * 2 ** 10));
  return { shift: isExact ? -there : -1e-8 - value, at };
}

/** A box of which at most three coordinates have a width: then there are few activation patterns, also of convolutions. */
function fewWide(size: number, seed: number, dyadic: boolean): Box {
  const rng = random(seed, 3);
  const round = (value: number): number => (dyadic ? Math.round(value * 8) / 8 : Math.fround(value));
  const centre = Float64Array.from({ length: size }, () => round(2 * rng.uniform() - 1));
  const radius = [0.1, 0.4, 1, 1.6][rng.int(4)];
  const reach = new Float64Array(size);
  for (let n = 0; n < 3; n++) reach[rng.int(size)] = round(radius * (0.3 + rng.uniform()));
  return { lower: centre.map((c, i) => c - reach[i]), upper: centre.map((c, i) => c + reach[i]) };
}
