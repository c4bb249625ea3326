/**
 * The engine by itself on the first MNIST test images: CROWN at the root (all balls in one call, in the two stages of lib/bounds/stages.ts: balls
 * that a rough pass proves, or leaves far from proof, get no full one), optimised bounds of what it leaves, and the cold start of the verify function. One thread.
 *   npm run bench -- engine [--runs 40] [--write-readme]
 */
import { createBounder } from '../lib/bounds/bounder';
import { marginRows, provenMargin } from '../lib/bounds/margin';
import { readNetwork } from '../lib/network/read';
import { misclassification } from '../lib/region/violation';
import { coldStart } from './support/cold-start';
import { type Images, readBenchmark, readMnist } from './support/data';
import { describeMachine, machineText } from './support/machine';
import { cpuClock, median, rounded } from './support/measure';
import { optimisedBounds } from './support/optimised';
import { optionsOf, positive } from './support/options';
import { markdownTable, renewBlock, writeResult } from './support/results';
import { timeFigure } from './support/time-figure';

const balls = 100;
/** Calls before those that are measured, at least, and seconds: compiled programs, optimised JavaScript. */
const warmUps = 15;
const secondsOfWarmUp = 3;

const cases: readonly (readonly [network: string, epsilon: number])[] = [
  ['mnist-net_256x2', 0.02],
  ['mnist-net_256x4', 0.02],
  ['mnist_6_100', 0.02],
  ['mnist_conv_small', 0.02],
  ['mnist_conv_small', 0.05],
];

/** Where the time of one row went, in CPU-seconds of all its runs; programs by what they do. */
export interface TimeShares {
  readonly forward: number;
  readonly backward: number;
  /** JavaScript, copies, garbage collection: everything outside ONNX Runtime. */
  readonly outside: number;
}

export interface CrownLine {
  readonly network: string;
  readonly epsilon: number;
  readonly balls: number;
  /** Balls proven robust; what the model misclassifies is among `balls`, and never proven. */
  readonly verified: number;
  /** Median over the runs. */
  readonly ballsPerCpuSecond: number;
  /** The same with a full pass for every ball (`BoundOptions.stages` off). */
  readonly full: { readonly verified: number; readonly ballsPerCpuSecond: number; readonly outside: number };
  readonly shares: TimeShares;
  /** CPU-seconds of each run. */
  readonly runs: readonly number[];
}

export async function engine(args: string[]): Promise<void> {
  const options = optionsOf(args, {
    runs: { type: 'string', default: '40' },
    'write-readme': { type: 'boolean', default: false },
  });
  const runs = positive(options.runs, 'runs');
  const mnist = readMnist();
  const machine = await describeMachine();
  console.log(machineText(machine));
  const lines: CrownLine[] = [];
  for (const [network, epsilon] of cases) {
    const line = await measure(mnist, network, epsilon, runs);
    const { verified, ballsPerCpuSecond, full, shares } = line;
    console.log(
      `${network} ${epsilon}: ${verified} verified, ${ballsPerCpuSecond} balls per CPU-second, ${percent(shares.outside)} outside ONNX Runtime; ` +
        `in full ${full.verified}, ${full.ballsPerCpuSecond}, ${percent(full.outside)} outside`,
    );
    lines.push(line);
  }
  const optimised = [
    await optimisedBounds(mnist, 'mnist-net_256x4', 0.02),
    await optimisedBounds(mnist, 'mnist_conv_small', 0.02),
  ];
  for (const { network, epsilon, verified, balls: of, ballsPerCpuSecond } of optimised)
    console.log(
      `${network} ${epsilon}, optimised bounds: ${verified} of ${of}, ${ballsPerCpuSecond} balls per CPU-second`,
    );
  const cold = await coldStart('mnist-net_256x4', 0.02);
  console.log(
    `cold start of verify, mnist-net_256x4: ${cold.seconds} s from the start of the process to the first verdict`,
  );
  const table = markdownTable(
    [
      'network',
      'epsilon',
      `proven of ${balls}`,
      'balls per CPU-second',
      'outside ONNX Runtime',
      'proven in full',
      'balls per CPU-second in full',
      'outside in full',
    ],
    lines.map(({ network, epsilon, verified, ballsPerCpuSecond, full, shares }) => [
      network,
      epsilon,
      verified,
      ballsPerCpuSecond,
      percent(shares.outside),
      full.verified,
      full.ballsPerCpuSecond,
      percent(full.outside),
    ]),
  );
  const second = markdownTable(
    ['network', 'epsilon', 'by CROWN', 'by optimised bounds', 'of', 'balls per CPU-second'],
    optimised.map((line) => [
      line.network,
      line.epsilon,
      line.byCrown,
      line.verified,
      line.balls,
      line.ballsPerCpuSecond,
    ]),
  );
  console.log(`\n${table}\n\n${second}\n`);
  writeResult('engine', machine, { lines, optimised, coldStart: cold });
  if (!options['write-readme']) return;
  const text = `Cold start of the verify function on \`mnist-net_256x4\` (process, import, model, programs, first verdict): ${cold.seconds} s.`;
  renewBlock('bench/README.md', 'engine', `${table}\n\n${second}\n\n${text}\n\n${machineText(machine)}.`);
  timeFigure(lines);
}

async function measure(mnist: Images, name: string, epsilon: number, count: number): Promise<CrownLine> {
  const { runs, ...staged } = await timed(mnist, name, epsilon, count, true);
  const { verified, ballsPerCpuSecond, shares } = await timed(mnist, name, epsilon, count, false);
  const full = { verified, ballsPerCpuSecond, outside: shares.outside };
  return { network: name, epsilon, balls, ...staged, full, runs };
}

async function timed(mnist: Images, name: string, epsilon: number, count: number, stages: boolean) {
  const { bytes } = readBenchmark(`nets/${name}.onnx`);
  const { network } = readNetwork(bytes, name);
  let [forward, backward] = [0, 0];
  const bounder = createBounder(network, {
    threads: 1,
    stages,
    observe: (program, milliseconds) => {
      if (program.startsWith('forward')) forward += milliseconds / 1000;
      else backward += milliseconds / 1000;
    },
  });
  // One for each label, as runs have them.
  const ofLabel = Array.from({ length: network.classes }, (_, label) => misclassification(label, network.classes));
  const violations = Array.from({ length: balls }, (_, i) => ofLabel[mnist.labels[i]]);
  const queries = violations.map((violation, i) => ({
    box: mnist.ball(i, epsilon, network.inputShape),
    rows: marginRows(violation),
  }));
  const bounds = await bounder.bound(queries);
  const verified = violations.filter((violation, i) => provenMargin(violation, bounds[i].rows) > 0).length;
  const begun = performance.now();
  for (let run = 0; run < warmUps || performance.now() - begun < 1000 * secondsOfWarmUp; run++)
    await bounder.bound(queries);
  [forward, backward] = [0, 0];
  const runs: number[] = [];
  const start = performance.now();
  for (let run = 0; run < count; run++) {
    const clock = cpuClock();
    await bounder.bound(queries);
    runs.push(rounded(clock()));
  }
  const wall = (performance.now() - start) / 1000;
  await bounder.release();
  const shares = {
    forward: rounded(forward / wall, 3),
    backward: rounded(backward / wall, 3),
    outside: rounded(1 - (forward + backward) / wall, 3),
  };
  return { verified, ballsPerCpuSecond: rounded(balls / median(runs), 3), shares, runs };
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}
