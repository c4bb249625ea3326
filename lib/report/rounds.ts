import type { BatchSummary, Report } from './record';

/** What one round did. */
export interface RoundSummary {
  readonly round: number;
  readonly miniBatches: number;
  /** Of its mini-batches; the median is a size that one has. */
  readonly sizes: { readonly smallest: number; readonly median: number; readonly largest: number };
  /** Balls in its mini-batches. */
  readonly tried: number;
  /** Balls that it proved or refuted. */
  readonly settled: number;
  readonly cpuSeconds: number;
  /** Balls settled in mini-batches of two and more, by what settled them. */
  readonly jointly: ReadonlyMap<string, number>;
  /** Balls settled in mini-batches of one. */
  readonly alone: number;
}

/** The rounds of a run, in order. Balls that no mini-batch settled (predictions, reused verdicts) are in none. */
export function roundSummaries({ batches, balls }: Pick<Report, 'batches' | 'balls'>): RoundSummary[] {
  const byId = new Map(batches.map((batch) => [batch.id, batch]));
  const rounds = new Map<number, { batches: BatchSummary[]; jointly: Map<string, number>; alone: number }>();
  for (const batch of batches) {
    const known = rounds.get(batch.round);
    if (known === undefined) rounds.set(batch.round, { batches: [batch], jointly: new Map(), alone: 0 });
    else known.batches.push(batch);
  }
  for (const { batch: id, settledBy } of balls) {
    const batch = id === undefined ? undefined : byId.get(id);
    const round = batch && rounds.get(batch.round);
    if (batch === undefined || round === undefined || settledBy === undefined) continue;
    if (batch.size === 1) round.alone++;
    else round.jointly.set(settledBy, (round.jointly.get(settledBy) ?? 0) + 1);
  }
  return [...rounds]
    .sort(([a], [b]) => a - b)
    .map(([round, { batches: own, jointly, alone }]) => {
      const sizes = own.map(({ size }) => size).sort((a, b) => a - b);
      const together = [...jointly.values()].reduce((sum, count) => sum + count, 0);
      return {
        round,
        miniBatches: own.length,
        sizes: { smallest: sizes[0], median: sizes[sizes.length >> 1], largest: sizes[sizes.length - 1] },
        tried: sizes.reduce((sum, size) => sum + size, 0),
        settled: together + alone,
        cpuSeconds: own.reduce((sum, batch) => sum + batch.cpuSeconds, 0),
        jointly,
        alone,
      };
    });
}
