import { writeNpy } from '../dataset/npy';
import { openRecords, type Records } from '../dataset/records';
import { effortOf } from '../group/effort';
import { createEngine, type Engine } from '../group/engine';
import type { Member, MemberOutcome } from '../group/member';
import { plainStep, type Step } from '../group/step';
import { noTechniques, type Techniques, usualTechniques } from '../group/techniques';
import { verifyMiniBatch } from '../group/verify';
import { misclassification } from '../region/violation';
import { unpackIds } from '../schedule/packed';
import {
  type BallResult,
  type BatchResult,
  batchResultSchema,
  type MiniBatch,
  memberLabels,
  miniBatchSchema,
  type RunRecord,
} from '../schedule/records';
import { MissingKeyError, type Storage } from '../storage/storage';
import { readCheckpoints, writeCheckpoint } from './checkpoints';
import { readInputs } from './inputs';
import { resultKey, witnessKey } from './keys';
import { type LemmaStore, openLemmaStore } from './lemmas';
import { readModelFile } from './model-file';
import { readJson, readRecord } from './records';

/** What verify says to the state machine; the result itself is in storage. */
export interface VerifySummary {
  readonly id: string;
  /** Members by what was found out about them. */
  readonly robust: number;
  readonly notRobust: number;
  readonly open: number;
}

/** Verifies mini-batches, keeping the run's model and sessions warm from one to the next. */
export interface Verifier {
  verify(storage: Storage, batch: unknown): Promise<VerifySummary>;
}

interface Warm {
  readonly key: string;
  readonly record: RunRecord;
  readonly records: Records;
  readonly engine: Engine;
  /** None where lemmas are switched off, as they are in the one-by-one baseline. */
  readonly lemmas: LemmaStore | undefined;
  readonly techniques: Techniques;
}

/** What is told while mini-batches are verified. */
export interface VerifyHooks {
  /** Of a mini-batch whose result this process wrote, not of one that another had written. */
  readonly onResult?: (batch: MiniBatch, result: BatchResult) => void;
  /** Does the steps of a mini-batch: `load model`, `read`, `bounds`, `attack`, `search`, `write witnesses` (and checkpoints), `write`. */
  readonly step?: Step;
}

/** Time kept back for writing the result, of the seconds a mini-batch has. */
const writingSeconds = 2;

/**
 * @param memoryBytes cap on the memory of bounds and attack
 * @param now clock in ms since the epoch
 * @param techniques what is shared between balls beside the products of their mini-batch
 */
export function createVerifier(
  memoryBytes: number,
  now: () => number = Date.now,
  techniques: Techniques = usualTechniques,
  { onResult, step = plainStep }: VerifyHooks = {},
): Verifier {
  let warm: Warm | undefined;
  const warmUp = async (storage: Storage, run: string): Promise<Warm> => {
    const key = `${storage.location} ${run}`;
    return warm?.key === key ? warm : step('load model', () => load(storage, run, key));
  };
  const load = async (storage: Storage, run: string, key: string): Promise<Warm> => {
    await warm?.engine.release();
    warm = undefined;
    const record = await readRecord(storage, run);
    const records = await openRecords(storage, record.request.dataset, record.preprocessing);
    const { model } = record.request;
    const engine = await createEngine(await readModelFile(storage, model), `model ${model}`, { memoryBytes });
    if (engine.hash !== record.modelHash || records.manifest.sha256 !== record.datasetHash) {
      await engine.release();
      throw new Error(`model or data set of run ${run} changed since it was planned`);
    }
    const own = record.request.mode === 'batch' ? techniques : noTechniques;
    const lemmas = own.lemmas ? await openLemmaStore(storage, record.modelHash) : undefined;
    warm = { key, record, records, engine, lemmas, techniques: own };
    return warm;
  };
  return {
    async verify(storage, event) {
      const batch = miniBatchSchema.parse(event);
      const key = resultKey(batch.run, batch.round, batch.id);
      // Delivered again: the work is done already.
      const earlier = await existing(storage, key);
      if (earlier) return summary(earlier);
      const result = await run(storage, batch, await warmUp(storage, batch.run), now, step);
      const isFirst = await step('write', () => storage.putIfAbsent(key, JSON.stringify(result)));
      if (!isFirst) return summary(await readJson(storage, key, batchResultSchema));
      onResult?.(batch, result);
      return summary(result);
    },
  };
}

async function existing(storage: Storage, key: string): Promise<BatchResult | undefined> {
  try {
    return await readJson(storage, key, batchResultSchema);
  } catch (error) {
    if (error instanceof MissingKeyError) return undefined;
    throw error;
  }
}

async function run(
  storage: Storage,
  batch: MiniBatch,
  { record, records, engine, lemmas, techniques }: Warm,
  now: () => number,
  step: Step,
): Promise<BatchResult> {
  const started = now();
  const cpu = process.cpuUsage();
  const { request } = record;
  const ids = unpackIds(batch.inputs);
  const inputs = await step('read', () => readInputs(records, engine.network, ids));
  const labels = memberLabels(batch);
  const violations = new Map(labels.map((label) => [label, misclassification(label, record.classes)]));
  const effort = effortOf(batch.attempt, batch.kind);
  const balls = Array.from(ids, (input) => ({ run: batch.run, epsilon: batch.epsilon, input }));
  const checkpoints = effort.searchShare > 0 ? await readCheckpoints(storage, balls) : [];
  const members = Array.from(ids, (input, i): Member => {
    const checkpoint = checkpoints[i];
    return {
      box: inputs.ball(input, request.epsilons[batch.epsilon].value),
      violation: violations.get(labels[i])!,
      seed: seedOf(request.seed, input, batch.epsilon, batch.attempt),
      ...(checkpoint && { checkpoint }),
    };
  });
  const seconds = Math.max(batch.seconds - writingSeconds, batch.seconds / 2);
  if (effort.bound) for (const label of violations.keys()) await lemmas?.load(label, engine.lemmas);
  const outcome = await verifyMiniBatch(engine, members, {
    effort,
    secondsPerBall: secondsPerBall(batch, request.secondsPerBall),
    deadline: Math.min(started + 1000 * seconds, batch.until ?? Number.POSITIVE_INFINITY),
    techniques,
    step,
  });
  await lemmas?.save(engine.lemmas);
  const isCut = batch.until !== undefined && now() >= batch.until;
  const results: BallResult[] = [];
  await step('write witnesses', async () => {
    for (const [i, input] of ids.entries()) {
      const key = witnessKey(batch.run, batch.round, batch.epsilon, input);
      const member = outcome.members[i];
      if (member.verdict === 'not-robust')
        await storage.put(key, writeNpy({ shape: engine.network.inputShape, values: member.witness }));
      if (member.verdict === 'open' && member.checkpoint) await writeCheckpoint(storage, balls[i], member.checkpoint);
      results.push(ballResult(input, isCut ? cut(member) : member, key));
    }
  });
  const { user, system } = process.cpuUsage(cpu);
  return {
    id: batch.id,
    round: batch.round,
    epsilon: batch.epsilon,
    cpuSeconds: (user + system) / 1e6,
    wallSeconds: (now() - started) / 1000,
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
    balls: results,
    ...(outcome.suspect !== undefined && { suspect: ids[outcome.suspect] }),
  };
}

/** The time budget of a ball over all attempts of which this attempt's share is not above the patience of its mini-batch. */
function secondsPerBall({ attempt, kind, patience }: MiniBatch, asked: number): number {
  const { searchShare } = effortOf(attempt, kind);
  return patience === undefined || searchShare === 0 ? asked : Math.min(asked, patience / searchShare);
}

/** A seed of the ball and attempt alone, so that no verdict depends on the mini-batch a ball is in. */
function seedOf(seed: number, input: number, epsilon: number, attempt: number): number {
  return (Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(input + 1, 0x85ebca6b) ^ (epsilon * 0x2545f491 + attempt)) >>> 0;
}

/** A member that is open because the run's cap of time was reached, told as that. */
function cut(member: MemberOutcome): MemberOutcome {
  const isShort = member.verdict === 'open' && (member.reason === 'time' || member.reason === 'search not run');
  return isShort ? { ...member, reason: 'budget' } : member;
}

function ballResult(input: number, outcome: MemberOutcome, witness: string): BallResult {
  const { cpuSeconds } = outcome;
  switch (outcome.verdict) {
    case 'robust':
      return { input, verdict: 'robust', settledBy: outcome.settledBy, margin: outcome.margin, cpuSeconds };
    case 'not-robust':
      return {
        input,
        verdict: 'not-robust',
        settledBy: outcome.settledBy,
        predicted: outcome.predicted,
        witness,
        cpuSeconds,
      };
    case 'open':
      return {
        input,
        verdict: 'open',
        reason: outcome.reason,
        ...(outcome.margin !== undefined && { margin: outcome.margin }),
        cpuSeconds,
      };
  }
}

function summary({ id, balls }: BatchResult): VerifySummary {
  const count = (name: BallResult['verdict']): number => balls.filter(({ verdict }) => verdict === name).length;
  return { id, robust: count('robust'), notRobust: count('not-robust'), open: count('open') };
}
