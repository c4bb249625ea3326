/**
 * Time and memory of clustering, planning, merging and storing for 10^3 to 10^6 balls:
 *   npm run bench -- schedule [--power 6] [--bits 1000] [--write-readme]
 * `power`: the largest power of ten; `bits`: of a fingerprint. Each line is one size. One thread does all; a round plans and merges results for all
 * its balls. Exit code 1 where clustering 10^6 patterns takes more than 5 minutes of CPU, or the process more than 4 GB, at any time.
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
import { describeMachine, machineText } from './support/machine';
import { cpuClock, rounded } from './support/measure';
import { optionsOf, positive } from './support/options';
import { markdownTable, renewBlock, writeResult } from './support/results';

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

type Step = 'cluster' | 'plan' | 'merge' | 'store';

interface Line {
  readonly balls: number;
  readonly bits: number;
  /** CPU-seconds of each step, over all rounds. */
  readonly cpuSeconds: Readonly<Record<Step, number>>;
  /** Of the process until then, which also holds what stands for the workers. */
  readonly peakMegabytes: number;
  readonly rounds: number;
  readonly miniBatches: number;
  readonly snapshotMegabytes: number;
}

function measure(count: number, bits: number): Line {
  const rng = random(1);
  const spent: Record<Step, number> = { cluster: 0, plan: 0, merge: 0, store: 0 };
  const timed = <Value>(step: Step, work: () => Value): Value => {
    const clock = cpuClock();
    const value = work();
    spent[step] += clock();
    return value;
  };
  const prints = patterns(count, bits, rng);
  const labelOf = Uint8Array.from({ length: count }, (_, i) => i % labels);
  const trees = timed('cluster', () => buildForest(prints, labelOf, 1));
  const options: PlanOptions = { run: 'bench', mode: 'batch', secondsPerBall: 1, seed: 1, workers: 8 };
  const blank = { misclassified: new Uint8Array(count), predicted: new Int32Array(count) };
  let state = createState({ inputs: count, epsilons: [0.01], bandit: emptyPosterior, ...blank });
  let [rounds, miniBatches, bytes] = [0, 0, 0];
  for (;;) {
    const { batches } = timed('plan', () => planRound(state, trees, options));
    if (batches.length === 0) break;
    const results = batches.map((batch) => resultOf(batch, rng));
    state = timed('merge', () => mergeRound(state, batches, results, [])).state;
    bytes = timed('store', () => encodeState(state)).length;
    rounds++;
    miniBatches += batches.length;
  }
  const { cluster, plan, merge, store } = spent;
  return {
    balls: count,
    bits,
    cpuSeconds: { cluster: rounded(cluster), plan: rounded(plan), merge: rounded(merge), store: rounded(store) },
    peakMegabytes: Math.round((process.resourceUsage().maxRSS * 1024) / 1e6),
    rounds,
    miniBatches,
    snapshotMegabytes: rounded(bytes / 1e6, 3),
  };
}

const head = [
  'balls',
  'bits',
  'cluster, CPU s',
  'plan, CPU s',
  'merge, CPU s',
  'store, CPU s',
  'peak memory, MB',
  'rounds',
  'mini-batches',
  'snapshot, MB',
];

function row({ balls, bits, cpuSeconds, ...line }: Line): (string | number)[] {
  const { cluster, plan, merge, store } = cpuSeconds;
  const { peakMegabytes, rounds, miniBatches, snapshotMegabytes } = line;
  return [balls, bits, cluster, plan, merge, store, peakMegabytes, rounds, miniBatches, snapshotMegabytes];
}

/** What a million inputs may take. */
const limits = { balls: 1e6, cpuSeconds: 300, megabytes: 4000 };

export async function schedule(args: string[]): Promise<void> {
  const options = optionsOf(args, {
    power: { type: 'string', default: '6' },
    bits: { type: 'string', default: '1000' },
    'write-readme': { type: 'boolean', default: false },
  });
  const power = positive(options.power, 'power');
  const bits = positive(options.bits, 'bits');
  const machine = await describeMachine();
  console.log(machineText(machine));
  const lines: Line[] = [];
  for (let exponent = 3; exponent <= power; exponent++) {
    const line = measure(10 ** exponent, bits);
    lines.push(line);
    console.log(head.map((title, i) => `${title} ${row(line)[i]}`).join('; '));
  }
  const table = markdownTable(head, lines.map(row));
  writeResult('schedule', machine, { lines });
  if (options['write-readme']) renewBlock('bench/README.md', 'schedule', `${table}\n\n${machineText(machine)}.`);
  const tooMuch = lines.filter(
    ({ balls, cpuSeconds, peakMegabytes }) =>
      balls <= limits.balls && (cpuSeconds.cluster > limits.cpuSeconds || peakMegabytes > limits.megabytes),
  );
  if (tooMuch.length === 0) return;
  console.error(`more than ${limits.cpuSeconds} CPU-seconds of clustering or ${limits.megabytes} MB`);
  process.exitCode = 1;
}
