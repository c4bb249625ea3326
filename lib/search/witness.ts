import { attackFrom } from '../attack/pgd';
import { replayOn } from '../attack/replay';
import { type AttackTarget, searchBox } from '../attack/target';
import type { Programs } from '../bounds/programs';
import type { OriginalModel } from '../network/original';
import { contains } from '../region/box';
import type { Float32Box } from '../region/outward';
import { violates } from '../region/violation';
import type { Problem } from './problem';
import type { TryWitness } from './tree';

/** Minimisers that a descent starts from: the latest ones. */
const starts = 8;
const steps = 10;
/** Trials before the first descent, which then are doubled: so descents stay a small part of the search, whatever the network. */
const firstDescent = 8;

/**
 * Trials of minimisers as counterexamples, of all problems of one ball. Most are none, but near one where the relaxation is nearly exact: so now and then, by
 * the number of trials alone, projected gradient descent goes on from the latest of them. Whatever is found was replayed, alone, on the original model.
 */
export function witnessTrials(
  programs: Programs,
  original: OriginalModel,
  target: AttackTarget,
  deadline: number,
): (problem: Pick<Problem, 'centre' | 'radius'>) => TryWitness {
  const inside = searchBox(target.box);
  const latest: Float32Array[] = [];
  let trials = 0;
  let next = firstDescent;
  const isWitness = async (point: Float32Array): Promise<boolean> =>
    contains(target.box, point) && violates(target.violation, await original.scores(point, 1));
  return (problem) => async (corner) => {
    if (inside === undefined) return undefined;
    const point = cornerPoint(problem, inside, corner);
    if (await isWitness(point)) return point;
    if (latest.push(point) > starts) latest.shift();
    if (++trials < next) return undefined;
    next *= 2;
    const found = await attackFrom(programs, target, latest, replayOn(original, [target]), { steps, deadline });
    return found && (await isWitness(found)) ? found : undefined;
  };
}

/** The float32 point of the box next to the input at e. */
function cornerPoint(
  { centre, radius }: Pick<Problem, 'centre' | 'radius'>,
  { lower, upper }: Float32Box,
  corner: Float32Array | Float64Array,
): Float32Array {
  return Float32Array.from(corner, (e, i) =>
    Math.min(Math.max(Math.fround(centre[i] + radius[i] * e), lower[i]), upper[i]),
  );
}
