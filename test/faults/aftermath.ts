import { z } from 'zod';
import { ledgerKey, outcomesKey, planKey, runPrefix } from '../../lib/pipeline/keys';
import { readLines } from '../../lib/pipeline/records';
import { lastState } from '../../lib/pipeline/state';
import { readReport } from '../../lib/report/json';
import { batchSummarySchema } from '../../lib/report/record';
import { unpackIds } from '../../lib/schedule/packed';
import { miniBatchSchema } from '../../lib/schedule/records';
import type { Storage } from '../../lib/storage/storage';

/** Verdict by ball, `input at radius`. */
export type Verdicts = ReadonlyMap<string, string>;

const lineSchema = z.looseObject({ input: z.int(), epsilon: z.int(), status: z.string() });

/** The verdicts of a run's report. */
export async function verdictsOf(storage: Storage, run: string): Promise<Verdicts> {
  const { balls, run: record } = await readReport(storage, runPrefix(run));
  const radius = new Map(record.request.epsilons.map(({ text }, i) => [text, i]));
  return new Map(balls.map(({ index, epsilon, verdict }) => [`${index} at ${radius.get(epsilon)}`, verdict]));
}

/**
 * What is wrong with a run after its storm; nothing is, if every ball has exactly one verdict in state, ledger and report, none is another
 * than the truth (`unknown` where the truth is not, only for members of mini-batches that failed), and nothing lies about that no part
 * of the run accounts for.
 */
export async function problemsAfter(storage: Storage, run: string, truth: Verdicts): Promise<string[]> {
  const problems: string[] = [];
  const state = await lastState(storage, run);
  if (state === undefined) return ['there is no state'];
  const reported = await verdictsOf(storage, run);
  const failed = await inFailedBatches(storage, run, state.round);
  for (const [ball, verdict] of truth) {
    const found = reported.get(ball);
    if (found === undefined) problems.push(`${ball} has no verdict`);
    else if (found !== verdict && (found !== 'unknown' || !failed.has(ball)))
      problems.push(`${ball} is ${found} instead of ${verdict}`);
  }
  if (reported.size !== truth.size) problems.push(`${reported.size} balls are reported of ${truth.size}`);

  const lines: string[] = [];
  for (const part of ['plan', ...Array.from({ length: state.round }, (_, round) => round)] as const) {
    for (const { input, epsilon, status } of await readLines(storage, ledgerKey(run, part as 'plan'), lineSchema)) {
      lines.push(`${input} at ${epsilon}`);
      const verdict = reported.get(`${input} at ${epsilon}`);
      if (verdict !== status)
        problems.push(`${input} at ${epsilon} is ${status} in the ledger, ${verdict} in the report`);
    }
  }
  const once = new Set(lines);
  if (once.size !== lines.length) problems.push(`${lines.length - once.size} balls are settled twice in the ledger`);
  for (const ball of truth.keys()) if (!once.has(ball)) problems.push(`${ball} is not in the ledger`);
  problems.push(...(await orphans(storage, run, state.round, reported)));
  return problems;
}

/** The members of all mini-batches that failed. */
async function inFailedBatches(storage: Storage, run: string, rounds: number): Promise<Set<string>> {
  const members = new Set<string>();
  for (let round = 0; round < rounds; round++) {
    const outcomes = await readLines(storage, outcomesKey(run, round), batchSummarySchema);
    const failed = new Set(outcomes.filter(({ error }) => error !== undefined).map(({ id }) => id));
    for (const { id, inputs, epsilon } of await readLines(storage, planKey(run, round), miniBatchSchema)) {
      if (failed.has(id)) for (const input of unpackIds(inputs)) members.add(`${input} at ${epsilon}`);
    }
  }
  return members;
}

/** Objects of a run that nothing accounts for. A witness of a worker that died before its result was written is one of a ball that is not robust. */
async function orphans(storage: Storage, run: string, rounds: number, reported: Verdicts): Promise<string[]> {
  const planned = new Set<string>();
  for (let round = 0; round < rounds; round++) {
    for (const { id } of await readLines(storage, planKey(run, round), miniBatchSchema)) planned.add(`${round}/${id}`);
  }
  const known =
    /^(request|run|caps|failure)\.json$|^trees\.bin$|^report\.(json|csv|html)$|^state\/\d+\.bin$|^ledger\/(plan|\d+)\.jsonl$|^rounds\/\d+\/(plan|outcomes)\.jsonl$|^rounds\/\d+\/map\/|^rounds\/checkpoints\//;
  const problems: string[] = [];
  for (const { key } of await storage.list('runs/')) {
    const name = key.slice(`${runPrefix(run)}/`.length);
    const result = /^rounds\/(\d+)\/results\/(.+)\.json$/.exec(name);
    const witness = /^rounds\/\d+\/witnesses\/(\d+)-(\d+)\.npy$/.exec(name);
    const isKnown = result
      ? planned.has(`${result[1]}/${result[2]}`)
      : witness
        ? ['not-robust', 'unknown'].includes(reported.get(`${witness[2]} at ${witness[1]}`) ?? '')
        : known.test(name);
    if (!isKnown) problems.push(`nothing accounts for ${key}`);
  }
  return problems;
}
