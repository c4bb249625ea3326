/**
 * A whole run as a user starts it: 1,000 MNIST test images on a network of VNN-COMP 2022, at one radius; and a second one on the
 * images and radii of that network's published properties, whose verdicts are known.
 *   npm run bench -- real [--write-readme]
 * `--write-readme` renews the result in README.md and the picture of the report, which takes Chromium.
 */
import path from 'node:path';
import { formatCount, formatInterval, formatNoun, formatSeconds, formatShare } from '../lib/report/format';
import type { Report } from '../lib/report/record';
import { countsOf, unknownReasons } from '../lib/report/totals';
import type { Cost } from './support/child';
import { benchmarkFile, mnistImages } from './support/data';
import { describeMachine, type Machine, machineText } from './support/machine';
import { optionsOf } from './support/options';
import { photograph } from './support/picture';
import { type Comparison, writePublished } from './support/published';
import { markdownTable, renewBlock, root, writeResult } from './support/results';
import { bundleProgram, figuresOf, mebibytes, runBaverly, settlersOf } from './support/run';

const network = 'mnist-net_256x2.onnx';
const epsilon = '0.02';
const first = 1000;
const command =
  `npx baverly run --model ${network} --data ${path.basename(mnistImages)} ` + `--epsilon ${epsilon} --first ${first}`;

export async function real(args: string[]): Promise<void> {
  const options = optionsOf(args, { 'write-readme': { type: 'boolean', default: false } });
  const folder = path.join(root, 'baverly-runs', 'bench-real');
  const machine = await describeMachine();
  console.log(machineText(machine));
  await bundleProgram();
  const asked = ['--data', benchmarkFile(mnistImages), '--epsilon', epsilon, '--first', String(first)];
  const { report, cost } = await runBaverly(network, asked, folder);
  const known = await verifyPublished(`${folder}-published`);
  const problems = [
    ...(report.status === 'done' ? [] : [`the run is ${report.status}`]),
    ...(report.balls.length === first ? [] : [`${report.balls.length} verdicts instead of ${first}`]),
    ...known.contradictions,
  ];
  if (problems.length > 0) throw new Error(problems.join('; '));

  writeResult('real', machine, {
    command,
    verdicts: countsOf(report.radii[0]),
    certifiedAccuracy: report.radii[0].certifiedAccuracy,
    cleanAccuracy: report.run.cleanAccuracy,
    ...figuresOf(report, cost),
    published: known,
  });
  const text = block(report, cost, known, machine);
  console.log(`\n${text}\n`);
  if (options['write-readme']) {
    await photograph(path.join(folder, 'report.html'), path.join(root, 'docs', 'images', 'report.png'));
    renewBlock('README.md', 'real', text);
  }
}

async function verifyPublished(folder: string): Promise<Comparison> {
  const { data, labels, epsilons, compare } = writePublished(network, `${folder}-data`);
  const { report } = await runBaverly(network, ['--data', data, '--labels', labels, '--epsilon', epsilons], folder);
  return compare(report.balls);
}

function block(report: Report, cost: Cost, known: Comparison, machine: Machine): string {
  const [radius] = report.radii;
  const { robust, 'not-robust': notRobust, unknown, misclassified } = countsOf(radius);
  const counts = [robust, notRobust, unknown, misclassified].map(formatCount);
  const reasons = unknownReasons(report).map(([reason, count]) => `${reason} ${formatCount(count)}`);
  const methods = Object.entries(settlersOf(report)).map(([method, count]) => `${formatCount(count)} by ${method}`);
  return [
    '```',
    command,
    '```',
    '',
    markdownTable(
      ['epsilon', 'robust', 'not robust', 'unknown', 'misclassified', 'certified accuracy', 'clean accuracy'],
      [[epsilon, ...counts, formatInterval(radius.certifiedAccuracy), formatShare(report.run.cleanAccuracy)]],
    ),
    '',
    `* ${formatNoun(report.balls.length, 'verdict')} in ${formatSeconds(cost.wallSeconds)}, from the start of the program ` +
      `to its end: ${formatSeconds(cost.cpuSeconds)} of CPU and at most ${formatCount(mebibytes(cost))} MiB of memory, all ` +
      'processes together.',
    `* Settled: ${methods.join(', ')}.${reasons.length > 0 ? ` Unknown because of: ${reasons.join(', ')}.` : ''}`,
    `* The ${known.properties} properties of this network in VNN-COMP 2022, verified the same way: ${known.agree} verdicts ` +
      `agree with the published ones, ${known.open} are \`unknown\`, none contradicts.`,
    `* ${machineText(machine)}.`,
  ].join('\n');
}
