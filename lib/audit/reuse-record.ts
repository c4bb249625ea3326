import { z } from 'zod';
import { reuseKey } from '../pipeline/keys';
import { parseJson, toLines } from '../pipeline/records';
import { ballAt, copyState, type RunState, type Settlement, settle, statusAt } from '../schedule/state';
import { linesOf } from '../storage/lines';
import { MissingKeyError, type Storage } from '../storage/storage';
import { provenSchema } from './verdict-store';

/** A ball whose verdict an earlier run found. */
const reusedBallSchema = z.strictObject({
  input: z.int().nonnegative(),
  /** Index into request.epsilons. */
  epsilon: z.int().nonnegative(),
  /** Verified again all the same. */
  recheck: z.boolean(),
  /** The run that found it. */
  from: z.string(),
  /** As it was found, maybe at another radius. */
  proven: provenSchema,
});
export type ReusedBall = z.infer<typeof reusedBallSchema>;

const headerSchema = z.strictObject({
  version: z.literal(1),
  engine: z.string(),
  /** What is wrong with stored verdicts that were not used. */
  ignored: z.array(z.string()),
});

/** `runs/<id>/reuse.jsonl`: which verdicts of earlier runs a run relies on. */
export interface ReuseRecord extends z.infer<typeof headerSchema> {
  readonly balls: readonly ReusedBall[];
}

/** The record that the run keeps: this one, unless planning wrote another before. */
export async function keepReuse(storage: Storage, run: string, record: ReuseRecord): Promise<ReuseRecord> {
  const { balls, ...header } = record;
  if (await storage.putIfAbsent(reuseKey(run), toLines([header, ...balls]))) return record;
  return (await readReuse(storage, run)) ?? record;
}

export async function readReuse(storage: Storage, run: string): Promise<ReuseRecord | undefined> {
  const key = reuseKey(run);
  let body: Uint8Array;
  try {
    body = await storage.get(key);
  } catch (error) {
    if (error instanceof MissingKeyError) return undefined;
    throw error;
  }
  const lines = linesOf(body);
  const header = parseJson(headerSchema, lines.next().value ?? '', key);
  const balls: ReusedBall[] = [];
  for (const line of lines) balls.push(parseJson(reusedBallSchema, line, `${key} line ${balls.length + 2}`));
  return { ...header, balls };
}

/** The state with the reused verdicts written down; those that are verified again stay open. */
export function settleReused(state: RunState, { balls }: ReuseRecord): RunState {
  return settled(state, balls, (ball) => !ball.recheck);
}

/**
 * The state in which a ball that was verified again has its old verdict where the new attempt found none.
 *
 * @throws ContradictionError where the new attempt found the opposite: one of two proofs is wrong
 */
export function confirmRechecked(state: RunState, { balls }: ReuseRecord): RunState {
  return settled(state, balls, (ball) => ball.recheck);
}

function settled(state: RunState, balls: readonly ReusedBall[], wanted: (ball: ReusedBall) => boolean): RunState {
  const next = copyState(state);
  for (const reused of balls) {
    if (!wanted(reused)) continue;
    const ball = ballAt(next, reused.input, reused.epsilon);
    // Predicted anew in every run: near a tie ONNX Runtime may round where the proof is in real arithmetic.
    if (statusAt(next, ball) === 'misclassified') continue;
    settle(next, ball, settlementOf(reused));
  }
  return next;
}

/** Begins what settled a ball whose verdict an earlier run found. */
const reusedMark = 'reused ';

export function isReused(settledBy: string | undefined): boolean {
  return settledBy?.startsWith(reusedMark) ?? false;
}

function settlementOf({ proven }: ReusedBall): Settlement {
  const settledBy = reusedMark + proven.settledBy;
  if (proven.verdict === 'robust') return { verdict: 'robust', settledBy, margin: proven.margin };
  return { verdict: 'not-robust', settledBy, predicted: proven.predicted, witness: proven.witness };
}
