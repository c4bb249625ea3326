/**
 * The whole MNIST test set, 10,000 images, on two networks, each a run as a user starts it with two processes:
 *   npm run bench -- whole [--only <part of a name>] [--seconds 10] [--write-readme]
 * Each begins without learned sizes. Linux only, as the measurement of its processes is.
 */
import { rmSync } from 'node:fs';
import { loadavg } from 'node:os';
import path from 'node:path';
import { formatCount, formatNoun } from '../lib/report/format';
import type { Report } from '../lib/report/record';
import { countsOf } from '../lib/report/totals';
import type { Cost } from './support/child';
import { benchmarkFile, mnistImages } from './support/data';
import { describeMachine, machineText } from './support/machine';
import { rounded } from './support/measure';
import { optionsOf, positive } from './support/options';
import { markdownTable, renewBlock, root, writeResult } from './support/results';
import { bundleProgram, figuresOf, runBaverly } from './support/run';

const suite: readonly (readonly [network: string, epsilon: string])[] = [
  ['mnist-net_256x4', '0.01'],
  ['mnist_conv_small', '0.05'],
];
const images = 10_000;
const workers = 2;

const head = [
  ...['network', 'epsilon', 'robust', 'not robust', 'unknown', 'misclassified'],
  ...['wall s', 'CPU-s', 'of mini-batches', 'peak memory, MiB', 'load'],
];

export async function whole(args: string[]): Promise<void> {
  const options = optionsOf(args, {
    only: { type: 'string', default: '' },
    seconds: { type: 'string', default: '10' },
    'write-readme': { type: 'boolean', default: false },
  });
  const seconds = positive(options.seconds, 'seconds');
  const machine = await describeMachine();
  console.log(machineText(machine));
  await bundleProgram();
  const folder = path.join(root, 'baverly-runs', 'bench-whole');
  rmSync(folder, { recursive: true, force: true });
  const lines: ReturnType<typeof lineOf>[] = [];
  for (const [network, epsilon] of suite.filter(([name, e]) => `${name} ${e}`.includes(options.only))) {
    const asked = ['--data', benchmarkFile(mnistImages), '--epsilon', epsilon];
    const limits = ['--workers', String(workers), '--time-per-ball', String(seconds)];
    const { report, cost } = await runBaverly(`${network}.onnx`, [...asked, ...limits], path.join(folder, network));
    const line = lineOf(network, report, cost);
    console.log(JSON.stringify(line));
    lines.push(line);
  }
  const table = markdownTable(
    head,
    lines.map(({ network, epsilon, robust, notRobust, unknown, misclassified, ...line }) => [
      ...[network, epsilon, robust, notRobust, unknown, misclassified],
      ...[line.wallSeconds, line.cpuSeconds, line.cpuSecondsOfMiniBatches, line.peakMemoryMiB, line.load],
    ]),
  );
  const settled = lines.map(({ network, settledBy }) => {
    const methods = Object.entries(settledBy).map(([method, count]) => `${formatCount(count)} by ${method}`);
    return `* ${network}: ${methods.join(', ')}.`;
  });
  const text = `At most ${formatNoun(seconds, 'second')} a ball, ${workers} workers. ${machineText(machine)}.`;
  const block = [table, '', ...settled, '', text].join('\n');
  console.log(`\n${block}\n`);
  if (options.only !== '') return;
  writeResult('whole', machine, { secondsPerBall: seconds, workers, lines });
  if (options['write-readme']) renewBlock('bench/README.md', 'whole', block);
}

/** One row. Wall and CPU seconds are those of the command from its start to its end, all processes together. */
function lineOf(network: string, report: Report, cost: Cost) {
  const [radius] = report.radii;
  if (report.status !== 'done' || report.balls.length !== images) {
    throw new Error(`the run of ${network} is ${report.status} with ${report.balls.length} verdicts of ${images}`);
  }
  const { robust, 'not-robust': notRobust, unknown, misclassified } = countsOf(radius);
  return {
    network,
    epsilon: radius.epsilon,
    ...{ robust, notRobust, unknown, misclassified },
    ...figuresOf(report, cost),
    /** Of the machine in the last minute of the run: above the number of workers something else ran too. */
    load: rounded(loadavg()[0], 2),
  };
}
