/**
 * What deep-hull lemmas bring: bounds of the first correctly classified MNIST test images, a mini-batch per label, without lemmas, with
 * lemmas learned and proven on the way, and with those of an earlier run, proven anew. No attack, no search.
 *   node scripts/run-ts.cjs bench/lemmas.ts [balls=300] [repetitions=5]
 */
import { type BoundQuery, createBounder } from '../lib/bounds/bounder';
import { marginRows } from '../lib/bounds/margin';
import type { Lemma } from '../lib/group/lemmas/lemma';
import { createLemmas } from '../lib/group/lemmas/lemmas';
import { loadModel } from '../lib/network/original';
import { misclassification } from '../lib/region/violation';
import { type Images, readBenchmark, readMnist } from './support/data';
import { describeMachine, machineText } from './support/machine';
import { cpuClock, median, rounded } from './support/measure';
import { markdownTable } from './support/results';

const cases: readonly (readonly [network: string, epsilon: number])[] = [
  ['mnist-net_256x4', 0.005],
  ['mnist-net_256x4', 0.01],
  ['mnist-net_256x2', 0.01],
];

type Batch = readonly (BoundQuery & { readonly label: number })[];

async function main(): Promise<void> {
  const [balls = 300, repetitions = 5] = process.argv.slice(2).map(Number);
  const mnist = readMnist();
  const rows: (string | number)[][] = [];
  for (const [network, epsilon] of cases) rows.push(await measure(mnist, network, epsilon, balls, repetitions));
  const head = [
    'network',
    'epsilon',
    'without',
    'learning',
    'by lemma',
    'earlier lemmas',
    'by lemma',
    'earlier, proofs aside',
  ];
  console.log(markdownTable(head, rows));
  console.log(`CPU-seconds, medians of ${repetitions}; ${machineText(await describeMachine())}`);
}

async function measure(mnist: Images, name: string, epsilon: number, balls: number, repetitions: number) {
  const { bytes } = readBenchmark(`nets/${name}.onnx`);
  const { file, original } = await loadModel(bytes, name);
  const { network } = file;
  const batches: (BoundQuery & { label: number })[][] = Array.from({ length: network.classes }, () => []);
  for (let i = 0, count = 0; count < balls; i++) {
    const label = mnist.labels[i];
    const scores = await original.scores(Float32Array.from(mnist.ball(i, 0, network.inputShape).lower), 1);
    if (scores.indexOf(Math.max(...scores)) !== label) continue;
    count++;
    const rows = marginRows(misclassification(label, network.classes));
    batches[label].push({ box: mnist.ball(i, epsilon, network.inputShape), rows, label });
  }
  const times = { without: [] as number[], learning: [] as number[], earlier: [] as number[], reuse: [] as number[] };
  const share = { learning: 0, earlier: 0 };
  const bounder = createBounder(network);
  // Compiles the network's programs, which all ways need; those of its rest count.
  await bounder.bound(batches.flat());
  for (let time = 0; time < repetitions; time++) {
    const clock = cpuClock();
    for (const batch of batches) await bounder.bound(batch);
    times.without.push(clock());
    const learning = await timed(bounder, batches, []);
    times.learning.push(learning.seconds);
    share.learning = learning.settled / balls;
    const earlier = await timed(bounder, batches, learning.lemmas);
    times.earlier.push(earlier.seconds);
    times.reuse.push(earlier.seconds - earlier.admission);
    share.earlier = earlier.settled / balls;
  }
  await bounder.release();
  await original.release();
  const percent = (value: number) => `${Math.round(100 * value)} %`;
  const [without, learning, earlier, reuse] = Object.values(times).map((all) => rounded(median(all), 3));
  return [name, epsilon, without, learning, percent(share.learning), earlier, percent(share.earlier), reuse];
}

/** A pass over all batches, with lemmas that are proven anew first; without any, the layer is learned from the first balls. */
async function timed(bounder: ReturnType<typeof createBounder>, batches: readonly Batch[], known: readonly Lemma[]) {
  const clock = cpuClock();
  const lemmas = createLemmas(bounder, { startAfter: known.length > 0 ? Number.POSITIVE_INFINITY : 0 });
  await lemmas.admit(known);
  const admission = clock();
  let settled = 0;
  for (const batch of batches) settled += (await lemmas.bound(batch)).filter(({ lemma }) => lemma !== undefined).length;
  const seconds = clock();
  const found = lemmas.takeNew();
  await lemmas.release();
  return { seconds, admission, settled, lemmas: found };
}

void main();
