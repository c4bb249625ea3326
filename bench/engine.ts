/**
 * The bound alone: CROWN at the root, no attack and no search, on the first 100 MNIST test images, all of them in one call.
 *   npm run bench -- engine [--runs 5] [--write-readme]
 */
import { createBounder } from '../lib/bounds/bounder';
import { marginRows, provenMargin } from '../lib/bounds/margin';
import { readNetwork } from '../lib/network/read';
import { misclassification } from '../lib/region/violation';
import { type Images, readBenchmark, readMnist } from './support/data';
import { describeMachine, machineText } from './support/machine';
import { cpuClock, median, rounded } from './support/measure';
import { optionsOf, positive } from './support/options';
import { markdownTable, renewBlock, writeResult } from './support/results';

const balls = 100;

const cases: readonly (readonly [network: string, epsilon: number])[] = [
  ['mnist-net_256x2', 0.02],
  ['mnist-net_256x4', 0.02],
  ['mnist_6_100', 0.02],
  ['mnist_conv_small', 0.02],
  ['mnist_conv_small', 0.05],
];

interface Line {
  readonly network: string;
  readonly epsilon: number;
  readonly balls: number;
  /** Balls proven robust; what the model misclassifies is among `balls`, and never proven. */
  readonly verified: number;
  /** Median over the runs. */
  readonly ballsPerCpuSecond: number;
  /** CPU-seconds of each run. */
  readonly runs: readonly number[];
}

export async function engine(args: string[]): Promise<void> {
  const options = optionsOf(args, {
    runs: { type: 'string', default: '5' },
    'write-readme': { type: 'boolean', default: false },
  });
  const runs = positive(options.runs, 'runs');
  const mnist = readMnist();
  const machine = await describeMachine();
  console.log(machineText(machine));
  const lines: Line[] = [];
  for (const [network, epsilon] of cases) {
    const line = await measure(mnist, network, epsilon, runs);
    console.log(`${network} ${epsilon}: ${line.verified} verified, ${line.ballsPerCpuSecond} balls per CPU-second`);
    lines.push(line);
  }
  const table = markdownTable(
    ['network', 'epsilon', `proven of ${balls}`, 'balls per CPU-second'],
    lines.map(({ network, epsilon, verified, ballsPerCpuSecond }) => [network, epsilon, verified, ballsPerCpuSecond]),
  );
  console.log(`\n${table}\n`);
  writeResult('engine', machine, { lines });
  if (options['write-readme']) renewBlock('bench/README.md', 'engine', `${table}\n\n${machineText(machine)}.`);
}

async function measure(mnist: Images, name: string, epsilon: number, count: number): Promise<Line> {
  const { bytes } = readBenchmark(`nets/${name}.onnx`);
  const { network } = readNetwork(bytes, name);
  const bounder = createBounder(network, { threads: 1 });
  const violations = Array.from({ length: balls }, (_, i) => misclassification(mnist.labels[i], network.classes));
  const queries = violations.map((violation, i) => ({
    box: mnist.ball(i, epsilon, network.inputShape),
    rows: marginRows(violation),
  }));
  // The first call compiles the programs.
  const bounds = await bounder.bound(queries);
  const verified = violations.filter((violation, i) => provenMargin(violation, bounds[i].rows) > 0).length;
  const runs: number[] = [];
  for (let run = 0; run < count; run++) {
    const clock = cpuClock();
    await bounder.bound(queries);
    runs.push(rounded(clock()));
  }
  await bounder.release();
  return { network: name, epsilon, balls, verified, ballsPerCpuSecond: rounded(balls / median(runs), 3), runs };
}
