/**
 * Convolutional networks on sets of images, ball by ball with a limit of time each:
 *   npm run bench -- sets [--seconds 60] [--only <part of a name>] [--write-readme]
 * With --only nothing is stored.
 */
import { createEngine } from '../lib/group/engine';
import { predictedClass } from '../lib/group/predicted-class';
import { emptyPosterior } from '../lib/schedule/bandit';
import { statusAt } from '../lib/schedule/state';
import { cifarImages, type Images, readBenchmark, readImages, readMnist } from './support/data';
import { settleSet } from './support/in-process';
import { describeMachine, machineText } from './support/machine';
import { median, rounded } from './support/measure';
import { optionsOf, positive } from './support/options';
import { markdownTable, renewBlock, writeResult } from './support/results';

interface SetCase {
  readonly network: string;
  /** As people write it. */
  readonly epsilon: string;
  readonly value: number;
  readonly first: number;
  images(): Images;
}

const cases: readonly SetCase[] = [
  { network: 'mnist_conv_small', epsilon: '0.12', value: 0.12, first: 50, images: readMnist },
  {
    network: 'cifar_conv_small',
    epsilon: '2/255',
    value: 2 / 255,
    first: 100,
    images: () => readImages(readBenchmark(cifarImages), undefined, 'HWC'),
  },
];

interface Line {
  readonly network: string;
  readonly epsilon: string;
  readonly images: number;
  readonly misclassified: number;
  readonly robust: number;
  readonly notRobust: number;
  readonly unknown: number;
  readonly cpuSeconds: number;
  readonly medianCpuSecondsOfRobust: number | null;
  /** Of every ball that the model classifies correctly. */
  readonly perBall: readonly number[];
}

export async function imageSets(args: string[]): Promise<void> {
  const options = optionsOf(args, {
    seconds: { type: 'string', default: '60' },
    only: { type: 'string', default: '' },
    'write-readme': { type: 'boolean', default: false },
  });
  const seconds = positive(options.seconds, 'seconds');
  const machine = await describeMachine();
  console.log(machineText(machine));
  const lines: Line[] = [];
  for (const one of cases.filter(({ network }) => network.includes(options.only))) {
    const line = await settled(one, seconds);
    const { network, epsilon, robust, notRobust, unknown, misclassified, cpuSeconds } = line;
    console.log(
      `${network} ${epsilon}: ${robust} robust, ${notRobust} not robust, ${unknown} unknown, ${misclassified} misclassified; ${cpuSeconds} CPU-seconds`,
    );
    lines.push(line);
  }
  const table = markdownTable(
    [
      'network',
      'epsilon',
      'images',
      'robust',
      'not robust',
      'unknown',
      'misclassified',
      'CPU-seconds in all',
      'median of robust',
    ],
    lines.map((line) => [
      line.network,
      line.epsilon,
      line.images,
      line.robust,
      line.notRobust,
      line.unknown,
      line.misclassified,
      line.cpuSeconds,
      line.medianCpuSecondsOfRobust ?? '',
    ]),
  );
  console.log(`\n${table}\n`);
  if (options.only !== '') return;
  writeResult('sets', machine, { secondsPerBall: seconds, lines });
  if (options['write-readme'])
    renewBlock(
      'bench/README.md',
      'sets',
      `${table}\n\nAt most ${seconds} s a ball, one thread. ${machineText(machine)}.`,
    );
}

async function settled({ network, epsilon, value, first, images: read }: SetCase, seconds: number): Promise<Line> {
  const images = read();
  const engine = await createEngine(readBenchmark(`nets/${network}.onnx`).bytes, network);
  const { inputShape } = engine.network;
  const count = Math.min(first, images.labels.length);
  const chosen: number[] = [];
  for (let index = 0; index < count; index++) {
    const scores = await engine.original.scores(images.pixels(index, inputShape), 1);
    if (predictedClass(scores) === images.labels[index]) chosen.push(index);
  }
  if (2 * chosen.length < count)
    throw new Error(
      `${network} classifies ${chosen.length} of ${count} images correctly: are they read as it takes them?`,
    );
  const set = {
    epsilon: value,
    labels: chosen.map((index) => images.labels[index]),
    box: (i: number) => images.ball(chosen[i], value, inputShape),
    centre: (i: number) => images.pixels(chosen[i], inputShape),
  };
  const { state, cpuSeconds } = await settleSet(engine, set, {
    mode: 'single',
    secondsPerBall: seconds,
    bandit: emptyPosterior,
  });
  await engine.release();
  const statuses = chosen.map((_, i) => statusAt(state, i));
  const number = (name: string): number => statuses.filter((status) => status === name).length;
  const robust = [...state.cpu].filter((_, i) => statuses[i] === 'robust');
  return {
    network,
    epsilon,
    images: count,
    misclassified: count - chosen.length,
    robust: number('robust'),
    notRobust: number('not-robust'),
    unknown: number('unknown'),
    cpuSeconds: rounded(cpuSeconds),
    medianCpuSecondsOfRobust: robust.length > 0 ? rounded(median(robust), 3) : null,
    perBall: Array.from(state.cpu, (spent) => rounded(spent, 3)),
  };
}
