import { openRecords } from '../dataset/records';
import { engineVersion } from '../engine-version';
import type { Engine } from '../group/engine';
import { readInputs } from '../pipeline/inputs';
import { random, shuffled } from '../random';
import { contains } from '../region/box';
import type { RunRecord } from '../schedule/records';
import { ballAt, ContradictionError, type RunState, statusAt } from '../schedule/state';
import type { Storage } from '../storage/storage';
import { readItemKeys } from './item-keys';
import { keepReuse, type ReusedBall, settleReused } from './reuse-record';
import { type KnownVerdict, readVerdicts } from './verdict-store';
import { type ReplayedWitness, replayWitness } from './witnesses';

/** Inputs whose witnesses are replayed at the same time. */
const parallel = 16;

/**
 * Settles the balls of a policy's run that earlier runs of the same model have settled, and says which of them are verified again
 * (`reuse.jsonl`). Of other runs the state stays as it is.
 *
 * Sound, since the stored verdict is about the same question: the model's file (hash), the item with its label and preprocessing
 * (lib/audit/item-keys.ts; the ball is a function of them and the radius), engine and arithmetic (`engineVersion`). Besides
 * (docs/audit.md, section 2):
 * - robust at a radius holds at every smaller one, whose ball is a subset (lib/region/ball.ts);
 * - a witness counts wherever it lies in the ball, compared exactly, and the model misclassifies it now, replayed alone.
 *
 * @param state the first state of the run, with nothing settled but what the model misclassifies
 * @throws ContradictionError where a ball is known to be robust and a stored witness lies in it
 */
export async function reuseVerdicts(
  storage: Storage,
  record: RunRecord,
  state: RunState,
  engine: Pick<Engine, 'original' | 'network'>,
): Promise<RunState> {
  const { policy, epsilons, seed } = record.request;
  if (policy === undefined) return state;
  const { byItem, ignored } = await readVerdicts(storage, record.modelHash);
  const found: Omit<ReusedBall, 'recheck'>[] = [];
  if (byItem.size > 0) {
    // As the run record has it, which is what every mini-batch verifies.
    const records = await openRecords(storage, record.request.dataset, record.preprocessing);
    const keys = await readItemKeys(records, record.inputs, record.datasetHash);
    const labels = await records.labels();
    const isKnown = (input: number): boolean =>
      byItem.has(keys[input]) && statusAt(state, ballAt(state, input, 0)) !== 'misclassified';
    const inputs = keys.map((_, input) => input).filter(isKnown);
    for (let start = 0; start < inputs.length; start += parallel) {
      const part = inputs.slice(start, start + parallel);
      const { ball } = await readInputs(records, engine.network, part);
      const findings = part.map(async (input) => {
        const known = byItem.get(keys[input])!;
        const witnesses = await replayed(storage, engine, known, labels[input]);
        return epsilons.flatMap(({ value }, epsilon) => {
          const inside = (point: Float32Array): boolean => contains(ball(input, value), point);
          const verdict = applicable(known, witnesses, value, inside, { input, epsilon });
          return verdict === undefined ? [] : [{ input, epsilon, ...verdict }];
        });
      });
      found.push(...(await Promise.all(findings)).flat());
    }
  }
  const balls = withRechecks(found, policy.recheck, seed, record.id);
  const kept = await keepReuse(storage, record.id, { version: 1, engine: engineVersion, ignored: [...ignored], balls });
  return settleReused(state, kept);
}

/** The known verdict that holds for the ball of an item at a radius, if there is one. */
function applicable(
  known: readonly KnownVerdict[],
  witnesses: ReadonlyMap<string, ReplayedWitness>,
  radius: number,
  inside: (point: Float32Array) => boolean,
  ball: { readonly input: number; readonly epsilon: number },
): Pick<ReusedBall, 'from' | 'proven'> | undefined {
  const nearest = [...known].sort((a, b) => Math.abs(a.epsilon - radius) - Math.abs(b.epsilon - radius));
  const proof = nearest.find(({ verdict, epsilon }) => verdict === 'robust' && epsilon >= radius);
  let broken:
    | { readonly from: string; readonly proven: Extract<ReusedBall['proven'], { verdict: 'not-robust' }> }
    | undefined;
  for (const { run, ...proven } of nearest) {
    if (proven.verdict !== 'not-robust') continue;
    const replay = witnesses.get(proven.witness);
    if (replay === undefined || !inside(replay.point)) continue;
    broken = { from: run, proven: { ...proven, predicted: replay.predicted } };
    break;
  }
  if (proof !== undefined && broken !== undefined) {
    const { input, epsilon } = ball;
    throw new ContradictionError(input, epsilon, 'robust', 'not-robust', [proof.run, broken.from]);
  }
  if (proof === undefined) return broken;
  const { run: from, ...proven } = proof;
  return { from, proven };
}

/** The known witnesses of an item that count now, by storage key. */
async function replayed(
  storage: Storage,
  engine: Pick<Engine, 'original' | 'network'>,
  known: readonly KnownVerdict[],
  label: number,
): Promise<Map<string, ReplayedWitness>> {
  const counting = new Map<string, ReplayedWitness>();
  for (const proven of known) {
    if (proven.verdict !== 'not-robust' || counting.has(proven.witness)) continue;
    const replay = await replayWitness(storage, engine, proven.witness, label);
    if (replay !== undefined) counting.set(proven.witness, replay);
  }
  return counting;
}

/** Draws the share that is verified again: at least one ball where any is asked for, others in every run. */
export function withRechecks(
  found: readonly Omit<ReusedBall, 'recheck'>[],
  share: number,
  seed: number,
  run: string,
): ReusedBall[] {
  const count = Math.ceil(share * found.length);
  const rng = random(seed, ...Buffer.from(run));
  const drawn = new Set(shuffled(found.length, rng).subarray(0, count));
  return found.map((ball, i) => ({ ...ball, recheck: drawn.has(i) }));
}
