/**
 * Which fingerprints put those balls into one mini-batch that share the most neurons:
 *   npm run bench -- similarity [--inputs 2000] [--write-readme]
 * The first MNIST test images are clustered by each kind of fingerprint and cut into mini-batches of 4, 16 and 64. Of each mini-batch counts how
 * many neurons may be active on any of its members (CROWN's upper bound is positive), over all layers: so large is the network that its members share. Fewer is better.
 */
import { type Bounder, createBounder } from '../lib/bounds/bounder';
import { cutMiniBatches, runOf } from '../lib/group/cut';
import { createFingerprints, type Fingerprints, packPattern } from '../lib/group/fingerprint';
import { buildForest, type Forest } from '../lib/group/forest';
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

/** A kind of fingerprint: the number that stands for neuron j of a ball, whose sign is the bit; several kinds of bits side by side. */
type Kind = (known: readonly Known[]) => readonly ((ball: Known, neuron: number) => number)[];

const plain = (ball: Known, j: number): number => ball.centre[j];

/** How far above its value at the centre a neuron may get in the ball, on average over a sample of balls. */
function reach(known: readonly Known[]): Float32Array {
  const sample = known.filter((_, i) => i % Math.ceil(known.length / 64) === 0);
  return known[0].centre.map(
    (_, j) => sample.reduce((sum, { centre, upper }) => sum + upper[j] - centre[j], 0) / sample.length,
  );
}

const kinds: Readonly<Record<string, Kind>> = {
  'active at the centre': () => [plain],
  'active within the mean reach': (known) => {
    const far = reach(known);
    return [(ball, j) => ball.centre[j] + far[j]];
  },
  'both, side by side': (known) => {
    const far = reach(known);
    return [plain, (ball, j) => ball.centre[j] + far[j]];
  },
  'both, and unstable from below': (known) => {
    const far = reach(known);
    return [plain, (ball, j) => ball.centre[j] + far[j], (ball, j) => ball.centre[j] - far[j]];
  },
  'possibly active, by CROWN': () => [(ball, j) => ball.upper[j]],
};

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
    const known = await knownOf(mnist, network, epsilon, inputs);
    for (const line of measure(known, Array.from(mnist.labels.subarray(0, inputs)))) {
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

async function knownOf(mnist: Images, name: string, epsilon: number, inputs: number): Promise<Known[]> {
  const { network } = readNetwork(readBenchmark(`nets/${name}.onnx`).bytes, name);
  const bounder = createBounder(network, { threads: 1 });
  const known: Known[] = [];
  for (let i = 0; i < inputs; i++) {
    const { upper } = await preActivations(bounder, mnist.ball(i, epsilon, network.inputShape));
    const { lower: from, upper: to } = await preActivations(bounder, mnist.ball(i, 1e-7, network.inputShape));
    known.push({ centre: from.map((value, j) => (value + to[j]) / 2), upper });
  }
  await bounder.release();
  return known;
}

async function preActivations(bounder: Bounder, box: ReturnType<Images['ball']>) {
  const layers = await bounder.preActivations(box);
  const joined = (side: 'lower' | 'upper'): Float32Array =>
    Float32Array.from(layers.flatMap((layer) => [...layer[side]]));
  return { lower: joined('lower'), upper: joined('upper') };
}

function measure(known: readonly Known[], labels: readonly number[]): Omit<Line, 'network' | 'epsilon'>[] {
  const neurons = known[0].centre.length;
  const chance = sizes.map((size) => atRandom(known, labels, size));
  const measured = Object.entries(kinds).map(([fingerprint, kind]) => {
    const rules = kind(known);
    const prints = createFingerprints(known.length, rules.length * neurons);
    for (const [row, ball] of known.entries()) {
      packPattern(
        prints,
        row,
        Float32Array.from(rules.flatMap((rule) => Array.from({ length: neurons }, (_, j) => rule(ball, j)))),
      );
    }
    return { fingerprint, bits: prints.bits, shared: sharedBy(prints, known, labels) };
  });
  return [...measured, { fingerprint: 'none: random balls of a label', bits: 0, shared: chance }];
}

function sharedBy(prints: Fingerprints, known: readonly Known[], labels: readonly number[]): number[] {
  const forest: Forest = buildForest(prints, labels, 1);
  return sizes.map((size) => {
    const batches = [...forest.values()].flatMap((tree) =>
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
}

function atRandom(known: readonly Known[], labels: readonly number[], size: number): number {
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
  return rounded(sum / known.length, 4);
}
