/**
 * Which fingerprints put those balls into one mini-batch that share the most neurons:
 *   npm run bench -- similarity [--inputs 2000] [--write-readme]
 * The first MNIST test images are clustered by each kind of fingerprint and cut into mini-batches of 4, 16 and 64. Of each mini-batch counts how
 * many neurons may be active on any of its members (CROWN's upper bound is positive), over all layers: so large is the network that its members share. Fewer is better.
 */
import { type Bounder, createBounder } from '../lib/bounds/bounder';
import { cutMiniBatches, runOf } from '../lib/group/cut';
import { createFingerprints, type Fingerprints, packPattern } from '../lib/group/fingerprint';
import { buildForest } from '../lib/group/forest';
import { fingerprintsAt } from '../lib/group/patterns';
import { readNetwork } from '../lib/network/read';
import { random, shuffled } from '../lib/random';
import { type Images, readBenchmark, readMnist } from './support/data';
import { describeMachine, machineText } from './support/machine';
import { rounded } from './support/measure';
import { optionsOf, positive } from './support/options';
import { markdownTable, renewBlock, writeResult } from './support/results';

const cases: readonly (readonly [network: string, epsilon: number])[] = [
  ['mnist-net_256x2', 0.01],
  ['mnist-net_256x4', 0.005],
  ['mnist-net_256x4', 0.02],
  ['mnist_6_100', 0.01],
];
const sizes = [4, 16, 64];

/** What is known of one ball: pre-activations at its centre, and CROWN's upper bounds of them, [neurons] each. */
interface Known {
  readonly centre: Float32Array;
  readonly upper: Float32Array;
}

/** A set of balls of one network, and the fingerprints that a run gives them. */
interface Balls {
  readonly known: readonly Known[];
  readonly labels: readonly number[];
  readonly used: Fingerprints;
}

/** Fingerprints whose bits are the signs of some numbers of each ball and neuron. */
function signs(
  { known }: Balls,
  ...rules: readonly ((ball: Known, neuron: number, reach: Float32Array) => number)[]
): Fingerprints {
  const far = reach(known);
  const neurons = known[0].centre.length;
  const prints = createFingerprints(known.length, rules.length * neurons);
  const values = new Float32Array(prints.bits);
  for (const [row, ball] of known.entries()) {
    for (const [k, rule] of rules.entries()) {
      for (let j = 0; j < neurons; j++) values[k * neurons + j] = rule(ball, j, far);
    }
    packPattern(prints, row, values);
  }
  return prints;
}

/** How far above its value at the centre a neuron may get in the ball, on average over a sample of balls. */
function reach(known: readonly Known[]): Float32Array {
  const sample = known.filter((_, i) => i % Math.ceil(known.length / 64) === 0);
  return known[0].centre.map(
    (_, j) => sample.reduce((sum, { centre, upper }) => sum + upper[j] - centre[j], 0) / sample.length,
  );
}

const kinds: Readonly<Record<string, (balls: Balls) => Fingerprints>> = {
  'active at the centre': (balls) => signs(balls, ({ centre }, j) => centre[j]),
  'active, and active or near it (used)': ({ used }) => used,
  'active, and active within the mean reach of CROWN': (balls) =>
    signs(
      balls,
      ({ centre }, j) => centre[j],
      ({ centre }, j, far) => centre[j] + far[j],
    ),
  'possibly active, by CROWN': (balls) => signs(balls, ({ upper }, j) => upper[j]),
};

/** Trees that are built of each, with seeds of their own; figures are means over them. */
const trees = 4;

interface Line {
  readonly network: string;
  readonly epsilon: number;
  readonly fingerprint: string;
  readonly bits: number;
  /** Mean number of possibly active neurons of a mini-batch, by its size. */
  readonly shared: readonly number[];
}

export async function similarity(args: string[]): Promise<void> {
  const options = optionsOf(args, {
    inputs: { type: 'string', default: '2000' },
    'write-readme': { type: 'boolean', default: false },
  });
  const inputs = positive(options.inputs, 'inputs');
  const mnist = readMnist();
  const machine = await describeMachine();
  console.log(machineText(machine));
  const lines: Line[] = [];
  for (const [network, epsilon] of cases) {
    for (const line of measure(await ballsOf(mnist, network, epsilon, inputs))) {
      lines.push({ network, epsilon, ...line });
      console.log(`${network} ${epsilon}, ${line.fingerprint} (${line.bits} bits): ${line.shared.join(', ')}`);
    }
  }
  const table = markdownTable(
    ['network, epsilon, fingerprint', 'bits', ...sizes.map((size) => `size ${size}`)],
    lines.map(({ network, epsilon, fingerprint, bits, shared }) => [
      `${network}, ${epsilon}, ${fingerprint}`,
      bits,
      ...shared,
    ]),
  );
  console.log(`\n${table}\n`);
  writeResult('similarity', machine, { inputs, lines });
  if (options['write-readme'])
    renewBlock('bench/README.md', 'similarity', `${table}\n\n${inputs} images; ${machineText(machine)}.`);
}

async function ballsOf(mnist: Images, name: string, epsilon: number, inputs: number): Promise<Balls> {
  const { network } = readNetwork(readBenchmark(`nets/${name}.onnx`).bytes, name);
  const bounder = createBounder(network, { threads: 1 });
  const known: Known[] = [];
  for (let i = 0; i < inputs; i++) {
    const { upper } = await preActivations(bounder, mnist.ball(i, epsilon, network.inputShape));
    const { lower: from, upper: to } = await preActivations(bounder, mnist.ball(i, 1e-7, network.inputShape));
    known.push({ centre: from.map((value, j) => (value + to[j]) / 2), upper });
  }
  const centre = (i: number): Float32Array => Float32Array.from(mnist.pixels(i, network.inputShape));
  const used = await fingerprintsAt(bounder.programs, inputs, centre);
  await bounder.release();
  return { known, labels: Array.from(mnist.labels.subarray(0, inputs)), used };
}

async function preActivations(bounder: Bounder, box: ReturnType<Images['ball']>) {
  const layers = await bounder.preActivations(box);
  const joined = (side: 'lower' | 'upper'): Float32Array =>
    Float32Array.from(layers.flatMap((layer) => [...layer[side]]));
  return { lower: joined('lower'), upper: joined('upper') };
}

function measure(balls: Balls): Omit<Line, 'network' | 'epsilon'>[] {
  const measured = Object.entries(kinds).map(([fingerprint, kind]) => {
    const prints = kind(balls);
    return { fingerprint, bits: prints.bits, shared: sizes.map((size) => sharedBy(prints, balls, size)) };
  });
  const shared = sizes.map((size) => rounded(atRandom(balls, size), 4));
  return [...measured, { fingerprint: 'none: random balls of a label', bits: 0, shared }];
}

function sharedBy(prints: Fingerprints, { known, labels }: Balls, size: number): number {
  const means = Array.from({ length: trees }, (_, seed) => {
    const batches = [...buildForest(prints, labels, 100 * seed).values()].flatMap((tree) =>
      cutMiniBatches(
        runOf(tree, () => true),
        () => size,
      ),
    );
    return meanUnion(
      batches.map(({ inputs }) => [...inputs]),
      known,
    );
  });
  return rounded(means.reduce((sum, mean) => sum + mean, 0) / trees, 4);
}

function atRandom({ known, labels }: Balls, size: number): number {
  const order = [...shuffled(known.length, random(1))];
  const batches = [...new Set(labels)].flatMap((label) => {
    const members = order.filter((i) => labels[i] === label);
    return Array.from({ length: Math.ceil(members.length / size) }, (_, k) => members.slice(k * size, (k + 1) * size));
  });
  return meanUnion(batches, known);
}

/** Mean over balls of how many neurons may be active on a member of the ball's mini-batch. */
function meanUnion(batches: readonly (readonly number[])[], known: readonly Known[]): number {
  let sum = 0;
  for (const batch of batches) {
    const active = known[0].upper.map((_, j) => (batch.some((i) => known[i].upper[j] > 0) ? 1 : 0));
    sum += batch.length * active.reduce((total, one) => total + one, 0);
  }
  return sum / known.length;
}
