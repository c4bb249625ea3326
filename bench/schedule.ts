/**
 * Time and memory of clustering, planning, merging and storing for 10^3 to 10^6 balls:
 *   npm run bench -- schedule [--power 6] [--bits 256]
 * `power`: the largest power of ten; `bits`: of a fingerprint. Each line is one size. Seconds are wall time of one core; a round plans and merges results for all its balls.
 */
import { createFingerprints, type Fingerprints } from '../lib/group/fingerprint';
import { buildForest } from '../lib/group/forest';
import { type Random, random } from '../lib/random';
import { emptyPosterior } from '../lib/schedule/bandit';
import { mergeRound } from '../lib/schedule/merge';
import { unpackIds } from '../lib/schedule/packed';
import { type PlanOptions, planRound } from '../lib/schedule/plan-round';
import type { BallResult, BatchResult, MiniBatch } from '../lib/schedule/records';
import { createState } from '../lib/schedule/state';
import { encodeState } from '../lib/schedule/state-file';
import { optionsOf, positive } from './support/options';

const labels = 10;

/** Patterns around 20 centres per label; each bit is flipped with probability 1/8. */
function patterns(count: number, bits: number, rng: Random): Fingerprints {
  const prints = createFingerprints(count, bits);
  const width = prints.words.length / count;
  const word = (): number => rng.int(2 ** 32);
  const centres = Uint32Array.from({ length: 20 * labels * width }, word);
  for (let row = 0; row < count; row++) {
    const centre = ((row % labels) * 20 + rng.int(20)) * width;
    for (let w = 0; w < width; w++) prints.words[row * width + w] = centres[centre + w] ^ (word() & word() & word());
  }
  return prints;
}

/** What a worker would say: a tenth of the balls stays open at the first attempt. */
function resultOf(batch: MiniBatch, rng: Random): BatchResult {
  const balls = [...unpackIds(batch.inputs)].map((input): BallResult => {
    const cpuSeconds = 0.01 + 0.02 / batch.size;
    if (rng.int(10 * batch.attempt) === 0) return { input, verdict: 'open', reason: 'time', margin: -0.5, cpuSeconds };
    return { input, verdict: 'robust', settledBy: 'bound', margin: 0.5, cpuSeconds };
  });
  const cpuSeconds = balls.reduce((sum, ball) => sum + ball.cpuSeconds, 0);
  return { id: batch.id, round: batch.round, cpuSeconds, wallSeconds: cpuSeconds, peakMemoryBytes: 0, balls };
}

function measure(count: number, bits: number): string {
  const rng = random(1);
  let peak = 0;
  const spent: Record<string, number> = {};
  const timed = <Value>(name: string, work: () => Value): Value => {
    const start = process.hrtime.bigint();
    const value = work();
    spent[name] = (spent[name] ?? 0) + Number(process.hrtime.bigint() - start) / 1e9;
    peak = Math.max(peak, process.memoryUsage.rss());
    return value;
  };
  const prints = patterns(count, bits, rng);
  const trees = timed('cluster', () =>
    buildForest(
      prints,
      Uint8Array.from({ length: count }, (_, i) => i % labels),
      1,
    ),
  );
  const options: PlanOptions = { run: 'bench', mode: 'batch', secondsPerBall: 1, seed: 1, workers: 8 };
  const blank = { misclassified: new Uint8Array(count), predicted: new Int32Array(count) };
  let state = createState({ inputs: count, epsilons: [0.01], bandit: emptyPosterior, ...blank });
  let [rounds, planned, bytes] = [0, 0, 0];
  for (;;) {
    const { batches } = timed('plan', () => planRound(state, trees, options));
    if (batches.length === 0) break;
    const results = batches.map((batch) => resultOf(batch, rng));
    state = timed('merge', () => mergeRound(state, batches, results, [])).state;
    bytes = timed('store', () => encodeState(state)).length;
    rounds++;
    planned += batches.length;
  }
  const times = Object.entries(spent).map(([name, seconds]) => `${name} ${seconds.toFixed(2)} s`);
  const totals = `${rounds} rounds, ${planned} mini-batches, snapshot ${(bytes / 1e6).toFixed(2)} MB`;
  return `${count} balls x ${bits} bits: ${times.join(', ')}; peak ${Math.round(peak / 1e6)} MB; ${totals}`;
}

export async function schedule(args: string[]): Promise<void> {
  const options = optionsOf(args, {
    power: { type: 'string', default: '6' },
    bits: { type: 'string', default: '256' },
  });
  const power = positive(options.power, 'power');
  const bits = positive(options.bits, 'bits');
  for (let exponent = 3; exponent <= power; exponent++) console.log(measure(10 ** exponent, bits));
}
