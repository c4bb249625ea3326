import { z } from 'zod';
import { radiusSummarySchema } from '../report/record';
import { type VerdictName, verdictNames } from '../verdict';
import { contradictionsOf } from './contradictions';
import type { RunView } from './run-view';

const verdictSchema = z.enum(['robust', 'not-robust', 'unknown', 'misclassified']);
/** What a changed verdict means. `lost`: a proof or a witness that the later run has not. */
const changeSchema = z.enum(['newly proven', 'newly broken', 'lost', 'other']);
export type Change = z.infer<typeof changeSchema>;
const interval = radiusSummarySchema.shape.certifiedAccuracy;
const countsSchema = z.record(verdictSchema, z.int().nonnegative());

const sideSchema = z.strictObject({
  run: z.string(),
  model: z.string(),
  modelHash: z.string(),
  startedAt: z.string(),
  cleanAccuracy: z.number(),
});

const radiusDifferenceSchema = z.strictObject({
  /** As the later run writes it. */
  epsilon: z.string(),
  value: z.number(),
  /** Balls that both runs have. */
  compared: z.int().nonnegative(),
  /** Balls of one run alone. */
  onlyBefore: z.int().nonnegative(),
  onlyAfter: z.int().nonnegative(),
  newlyProven: z.int().nonnegative(),
  newlyBroken: z.int().nonnegative(),
  lost: z.int().nonnegative(),
  /** Of the compared balls. */
  before: countsSchema,
  after: countsSchema,
  /** Of all inputs of each run; absent where a run does not have the radius. */
  certifiedBefore: interval.optional(),
  certifiedAfter: interval.optional(),
});
export type RadiusDifference = z.infer<typeof radiusDifferenceSchema>;

const changedBallSchema = z.strictObject({
  /** Index of the input in each run's data set. */
  indexBefore: z.int().nonnegative(),
  indexAfter: z.int().nonnegative(),
  label: z.int().nonnegative(),
  epsilon: z.string(),
  before: verdictSchema,
  after: verdictSchema,
  change: changeSchema,
});
export type ChangedBall = z.infer<typeof changedBallSchema>;

/** What changed from one run to another on the same balls: `difference.json` (docs/audit.md, section 4). */
export const runDifferenceSchema = z.strictObject({
  version: z.literal(1),
  before: sideSchema,
  after: sideSchema,
  /** Whether both are about the same file, so that every change is one of knowledge. */
  sameModel: z.boolean(),
  radii: z.array(radiusDifferenceSchema),
  balls: z.array(changedBallSchema),
  /** Verdicts on one model that cannot both be true, in words. Not empty: something is unsound. */
  contradictions: z.array(z.string()),
});
export type RunDifference = z.infer<typeof runDifferenceSchema>;

/**
 * Compares two runs on the balls that both have: the same item, label and preprocessing (by key, wherever they stand in the data
 * sets) at the same radius. An item that stands in a data set twice is compared as often as both have it.
 */
export function differenceOf(before: RunView, after: RunView): RunDifference {
  const pairs = pairInputs(before.keys, after.keys);
  const balls: ChangedBall[] = [];
  const values = new Map([...after.radii, ...before.radii].map(({ value, epsilon }) => [value, epsilon]));
  for (const { value, epsilon } of after.radii) values.set(value, epsilon);
  const radii = [...values]
    .sort(([a], [b]) => a - b)
    .map(([value, epsilon]): RadiusDifference => {
      const old = verdictsAt(before, value);
      const young = verdictsAt(after, value);
      const counts = { before: noCounts(), after: noCounts() };
      const changes: Record<Change, number> = { 'newly proven': 0, 'newly broken': 0, lost: 0, other: 0 };
      let compared = 0;
      for (const [indexBefore, indexAfter] of pairs) {
        const [was, is] = [old.get(indexBefore), young.get(indexAfter)];
        if (was === undefined || is === undefined) continue;
        compared++;
        counts.before[was.verdict]++;
        counts.after[is.verdict]++;
        if (was.verdict === is.verdict) continue;
        const change = changeOf(was.verdict, is.verdict);
        changes[change]++;
        const verdicts = { before: was.verdict, after: is.verdict };
        balls.push({ indexBefore, indexAfter, label: is.label, epsilon, ...verdicts, change });
      }
      const certified = (view: RunView) => view.radii.find((radius) => radius.value === value)?.certifiedAccuracy;
      const [certifiedBefore, certifiedAfter] = [certified(before), certified(after)];
      return {
        epsilon,
        value,
        compared,
        onlyBefore: old.size - compared,
        onlyAfter: young.size - compared,
        newlyProven: changes['newly proven'],
        newlyBroken: changes['newly broken'],
        lost: changes.lost,
        ...counts,
        ...(certifiedBefore && { certifiedBefore }),
        ...(certifiedAfter && { certifiedAfter }),
      };
    });
  const sameModel = before.side.modelHash === after.side.modelHash;
  return {
    version: 1,
    before: { ...before.side },
    after: { ...after.side },
    sameModel,
    radii,
    balls,
    contradictions: sameModel ? contradictionsOf(before, after) : [],
  };
}

/** A change counts as broken or proven by what is known now, whatever was known before. */
function changeOf(before: VerdictName, after: VerdictName): Change {
  if (after === 'robust') return 'newly proven';
  if (after === 'unknown') return before === 'misclassified' ? 'other' : 'lost';
  return before === 'not-robust' || before === 'misclassified' ? 'other' : 'newly broken';
}

/** Indices of the same item in both runs. */
function pairInputs(before: readonly string[], after: readonly string[]): [number, number][] {
  const places = new Map<string, number[]>();
  for (const [index, key] of before.entries()) {
    const known = places.get(key);
    if (known) known.push(index);
    else places.set(key, [index]);
  }
  const used = new Map<string, number>();
  const pairs: [number, number][] = [];
  for (const [index, key] of after.entries()) {
    const turn = used.get(key) ?? 0;
    const place = places.get(key)?.[turn];
    if (place === undefined) continue;
    used.set(key, turn + 1);
    pairs.push([place, index]);
  }
  return pairs;
}

/** The verdicts of a run at a radius, by input. */
function verdictsAt(view: RunView, value: number): Map<number, { verdict: VerdictName; label: number }> {
  const texts = new Set(view.radii.filter((radius) => radius.value === value).map(({ epsilon }) => epsilon));
  const found = new Map<number, { verdict: VerdictName; label: number }>();
  for (const { index, epsilon, verdict, label } of view.balls)
    if (texts.has(epsilon)) found.set(index, { verdict, label });
  return found;
}

function noCounts(): Record<VerdictName, number> {
  return Object.fromEntries(verdictNames.map((name) => [name, 0])) as Record<VerdictName, number>;
}
