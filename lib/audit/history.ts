import { z } from 'zod';
import { historyPrefix } from '../pipeline/keys';
import { readJson } from '../pipeline/records';
import { radiusSummarySchema } from '../report/record';
import type { Storage } from '../storage/storage';

/** A threshold of a policy and whether a run reached it. */
const thresholdStateSchema = z.strictObject({
  /** `clean accuracy`, `certified accuracy at 0.02`, `newly broken balls`. */
  name: z.string(),
  limit: z.number(),
  value: z.number(),
  holds: z.boolean(),
});
export type ThresholdState = z.infer<typeof thresholdStateSchema>;

/** One run of a policy on a model: `history/<policy>/<model>/<run>.json`. */
const historyEntrySchema = z.strictObject({
  version: z.literal(1),
  policy: z.string(),
  policyVersion: z.string(),
  occasion: z.enum(['upload', 'audit']),
  model: z.string(),
  modelHash: z.string(),
  run: z.string(),
  startedAt: z.string(),
  status: z.enum(['done', 'failed']),
  /** Of `failed`: why. */
  problems: z.array(z.string()),
  /** Of `done`, as in the report. */
  cleanAccuracy: z.number().optional(),
  radii: z.array(radiusSummarySchema.pick({ epsilon: true, value: true, certifiedAccuracy: true })),
  /** Verdicts taken from earlier runs, and how many of them were verified again. */
  reused: z.int().nonnegative(),
  rechecked: z.int().nonnegative(),
  thresholds: z.array(thresholdStateSchema),
});
export type HistoryEntry = z.infer<typeof historyEntrySchema>;

/** The runs of a policy on a model, the oldest first. */
export async function readHistory(storage: Storage, policy: string, model: string): Promise<HistoryEntry[]> {
  const prefix = historyPrefix(policy, model);
  const keys = (await storage.list(prefix)).map(({ key }) => key);
  // A model `a/b` of the same policy lies below the prefix of a model `a`.
  const own = keys.filter((key) => !key.slice(prefix.length).includes('/'));
  const entries = await Promise.all(own.map((key) => readJson(storage, key, historyEntrySchema)));
  return entries
    .filter((entry) => entry.policy === policy && entry.model === model)
    .sort((a, b) => (a.startedAt < b.startedAt || (a.startedAt === b.startedAt && a.run < b.run) ? -1 : 1));
}

/** Writes the entry of a run; written again it replaces itself. */
export async function writeHistory(storage: Storage, entry: HistoryEntry): Promise<void> {
  const key = `${historyPrefix(entry.policy, entry.model)}${entry.run}.json`;
  await storage.put(key, `${JSON.stringify(historyEntrySchema.parse(entry), null, 2)}\n`);
}
