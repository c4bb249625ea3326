/**
 * Whole instances of VNN-COMP 2022, one after the other on one thread, against the verdicts that its tools agreed on:
 *   npm run bench -- vnncomp [--timeout 60] [--only <part of a name>] [--write-readme]
 *   npm run bench -- oval21 [--timeout 120] ...
 * CPU-seconds include reading the network and the property. With --only nothing is stored.
 */
import { createEngine } from '../lib/group/engine';
import { type PropertyAnswer, settleProperties } from '../lib/group/property';
import { readVnnlib } from '../lib/region/vnnlib';
import { readBenchmark } from './support/data';
import { describeMachine, machineText } from './support/machine';
import { cpuClock, median, rounded } from './support/measure';
import { optionsOf, positive } from './support/options';
import { markdownTable, renewBlock, writeResult } from './support/results';
import { type KnownInstance, knownInstances } from './support/verdicts';

interface Line {
  readonly network: string;
  readonly property: string;
  readonly verdict: PropertyAnswer['kind'];
  /** The verdict of verdicts.csv. */
  readonly known: 'sat' | 'unsat';
  /** `open`: neither proven nor refuted here. */
  readonly agreement: 'agrees' | 'contradicts' | 'open';
  readonly cpuSeconds: number;
}

export const vnncomp = (args: string[]): Promise<void> =>
  settleInstances(args, { name: 'vnncomp', benchmark: 'mnist_fc', timeout: '60' });

export const oval21 = (args: string[]): Promise<void> =>
  settleInstances(args, { name: 'oval21', benchmark: 'oval21', timeout: '120' });

interface InstanceSet {
  /** Of the results. */
  readonly name: string;
  readonly benchmark: KnownInstance['benchmark'];
  /** Usual seconds an instance, as the option has them. */
  readonly timeout: string;
}

async function settleInstances(args: string[], set: InstanceSet): Promise<void> {
  const options = optionsOf(args, {
    timeout: { type: 'string', default: set.timeout },
    only: { type: 'string', default: '' },
    'write-readme': { type: 'boolean', default: false },
  });
  const timeout = positive(options.timeout, 'timeout');
  const instances = knownInstances(set.benchmark).filter(({ network, property }) =>
    `${network} ${property}`.includes(options.only),
  );
  const machine = await describeMachine();
  console.log(machineText(machine));
  const lines: Line[] = [];
  for (const instance of instances) {
    const line = await settle(instance, timeout);
    console.log(
      `${line.network} ${line.property}: ${line.verdict} (${line.agreement}), ${line.cpuSeconds} CPU-seconds`,
    );
    lines.push(line);
  }
  const table = summary(lines);
  console.log(`\n${table}\n`);
  if (options.only === '') {
    writeResult(set.name, machine, { timeoutSeconds: timeout, summary: groups(lines), lines });
    if (options['write-readme']) {
      renewBlock(
        'bench/README.md',
        set.name,
        `${table}\n\nAt most ${timeout} s an instance, one thread. ${machineText(machine)}.`,
      );
    }
  }
  const wrong = lines.filter(({ agreement }) => agreement === 'contradicts');
  if (wrong.length > 0) {
    throw new Error(
      `contradicts known verdicts: ${wrong.map((line) => `${line.network} ${line.property}`).join(', ')}`,
    );
  }
}

async function settle(instance: KnownInstance, timeout: number): Promise<Line> {
  const { network, property, verdict: known, networkFile, propertyFile } = instance;
  const clock = cpuClock();
  const deadline = Date.now() + 1000 * timeout;
  const properties = readVnnlib(readBenchmark(propertyFile).bytes, property);
  const engine = await createEngine(readBenchmark(networkFile).bytes, network);
  const { kind } = await settleProperties(engine, properties, { deadline, seed: 0 });
  await engine.release();
  const isOpen = kind === 'unknown' || kind === 'timeout';
  const agreement = isOpen ? 'open' : kind === known ? 'agrees' : 'contradicts';
  return { network, property, verdict: kind, known, agreement, cpuSeconds: rounded(clock(), 3) };
}

/** Counts per network. */
function groups(lines: readonly Line[]) {
  return [...new Set(lines.map(({ network }) => network))].map((network) => {
    const own = lines.filter((line) => line.network === network);
    const settled = own.filter(({ agreement }) => agreement !== 'open');
    const count = (verdict: Line['verdict']): number => own.filter((line) => line.verdict === verdict).length;
    return {
      network,
      instances: own.length,
      unsat: count('unsat'),
      sat: count('sat'),
      open: own.length - settled.length,
      contradictions: own.filter(({ agreement }) => agreement === 'contradicts').length,
      medianCpuSecondsOfSettled:
        settled.length > 0 ? rounded(median(settled.map(({ cpuSeconds }) => cpuSeconds)), 3) : null,
      cpuSeconds: rounded(
        own.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
        3,
      ),
    };
  });
}

function summary(lines: readonly Line[]): string {
  const head = ['network', 'instances', 'robust (unsat)', 'counterexample (sat)', 'open', 'contradictions'];
  return markdownTable(
    [...head, 'median CPU-seconds of the settled', 'CPU-seconds in all'],
    groups(lines).map((group) => [
      group.network.replace(/\.onnx$/, ''),
      group.instances,
      group.unsat,
      group.sat,
      group.open,
      group.contradictions,
      group.medianCpuSecondsOfSettled ?? '',
      group.cpuSeconds,
    ]),
  );
}
