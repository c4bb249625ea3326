import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { rounded } from './measure';
import { markdownTable, root } from './results';

const settlersSchema = z.record(z.string(), z.number());
const lineSchema = z.strictObject({
  network: z.string(),
  epsilon: z.number(),
  balls: z.number(),
  /** Median CPU-seconds of so many runs. */
  single: z.number(),
  batch: z.number(),
  runs: z.number(),
  /** CPU-seconds single over batch: above 1, grouping pays. */
  ratio: z.number(),
  unknownSingle: z.number(),
  unknownBatch: z.number(),
  /** Balls of which one mode says robust and the other not-robust: never. */
  contradictions: z.number(),
  settledBy: settlersSchema,
  /** Mini-batches by size, of first attempts. */
  sizes: z.record(z.string(), z.number()),
  ablation: z.array(
    z.strictObject({ changed: z.string(), cpuSeconds: z.number(), unknown: z.number(), settledBy: settlersSchema }),
  ),
  measured: z.strictObject({
    date: z.string(),
    matMulGflops: z.number(),
    /** Mean number of running processes of the machine in the minute before the row ended. */
    load: z.number(),
  }),
});
/** One row of the table of `bench group`. */
export type Line = z.infer<typeof lineSchema>;
const resultSchema = z.object({ secondsPerBall: z.number(), lines: z.array(lineSchema) });

/** What was measured before with the same time per ball. */
export function earlierLines(result: string, secondsPerBall: number): Line[] {
  const file = path.join(root, 'bench', 'results', `${result}.json`);
  if (!existsSync(file)) return [];
  const earlier = resultSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  return earlier.secondsPerBall === secondsPerBall ? earlier.lines : [];
}

export function inOrder(
  suite: readonly (readonly [network: string, epsilon: number])[],
  lines: readonly Line[],
): Line[] {
  return suite.flatMap(([network, epsilon]) =>
    lines.filter((line) => line.network === network && line.epsilon === epsilon),
  );
}

export function summary(lines: readonly Line[]): { geometricMean: number; worst: number } {
  const logs = lines.reduce((sum, { ratio }) => sum + Math.log(ratio), 0);
  return {
    geometricMean: rounded(Math.exp(logs / lines.length), 3),
    worst: Math.min(...lines.map(({ ratio }) => ratio)),
  };
}

export function ratioTable(lines: readonly Line[]): string {
  return markdownTable(
    [
      'network',
      'epsilon',
      'balls',
      'single, CPU-s',
      'batch, CPU-s',
      'ratio',
      'unknown single',
      'unknown batch',
      'runs',
      'load',
    ],
    lines.map((line) => [
      line.network,
      line.epsilon,
      line.balls,
      line.single,
      line.batch,
      line.ratio,
      line.unknownSingle,
      line.unknownBatch,
      line.runs,
      line.measured.load,
    ]),
  );
}

/** Ratios of single over each way of grouping. */
export function ablationTable(lines: readonly Line[]): string {
  const ways = lines[0].ablation.map(({ changed }) => changed);
  return markdownTable(
    ['network', 'epsilon', 'balls', 'single, CPU-s', 'batch', ...ways],
    lines.map(({ network, epsilon, balls, single, ratio, ablation }) => [
      ...[network, epsilon, balls, single, ratio],
      ...ablation.map(({ cpuSeconds }) => rounded(single / cpuSeconds, 3)),
    ]),
  );
}
