/**
 * Mini-batches against balls one by one, on the same engine: the same 300 correctly classified MNIST test images, CPU-seconds on one thread.
 *   npm run bench -- group [--balls 300] [--seconds 20] [--only <part of a name>] [--keep] [--runs 1] [--ablation] [--write-readme]
 * --ablation also runs `batch` with each technique switched the other way than it is by default, and has a result of its own.
 * Results are stored after each row: the whole takes an hour or more. With --keep rows of an earlier result stay that were measured with the
 * same time per ball, unless they are measured again.
 * Both modes are warmed up on other images, several times where that takes little; of the first pass `batch` also keeps what it learned about sizes.
 */

import { readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import path from 'node:path';
import { createEngine, type Engine } from '../lib/group/engine';
import { predictedClass } from '../lib/group/predicted-class';
import { type Techniques, usualTechniques } from '../lib/group/techniques';
import { asPrior, emptyPosterior } from '../lib/schedule/bandit';
import { statusAt } from '../lib/schedule/state';
import { type Images, readBenchmark, readImages, readMnist } from './support/data';
import { ablationTable, earlierLines, inOrder, type Line, ratioTable, summary } from './support/group-result';
import { type BallSet, type SettledSet, settleSet } from './support/in-process';
import { describeMachine, machineText } from './support/machine';
import { median, rounded } from './support/measure';
import { optionsOf, positive } from './support/options';
import { renewBlock, root, writeResult } from './support/results';

const suite: readonly (readonly [network: string, epsilon: number])[] = [
  ['mnist-net_256x2', 0.01],
  ['mnist-net_256x2', 0.02],
  ['mnist-net_256x2', 0.03],
  ['mnist-net_256x4', 0.005],
  ['mnist-net_256x4', 0.01],
  ['mnist-net_256x4', 0.02],
  ['mnist_6_100', 0.01],
  ['mnist_6_100', 0.02],
  ['mnist_conv_small', 0.05],
  ['mnist_conv_small', 0.12],
  ['digits/conv', 0.04],
];

/** Images of the example, MNIST-like, of its own data set. */
const example = 'digits/conv';

export async function group(args: string[]): Promise<void> {
  const options = optionsOf(args, {
    balls: { type: 'string', default: '300' },
    seconds: { type: 'string', default: '20' },
    only: { type: 'string', default: '' },
    keep: { type: 'boolean', default: false },
    ablation: { type: 'boolean', default: false },
    runs: { type: 'string', default: '1' },
    'write-readme': { type: 'boolean', default: false },
  });
  const count = positive(options.balls, 'balls');
  const secondsPerBall = positive(options.seconds, 'seconds');
  const runs = positive(options.runs, 'runs');
  const machine = await describeMachine();
  console.log(machineText(machine));
  const result = options.ablation ? 'ablation' : 'group';
  const isStored = options.only === '' || options.keep;
  let lines = options.keep ? earlierLines(result, secondsPerBall) : [];
  for (const [network, epsilon] of suite.filter(([name, e]) => `${name} ${e}`.includes(options.only))) {
    const line: Line = {
      ...(await measure(network, epsilon, { count, secondsPerBall, runs, isAblated: options.ablation })),
      measured: { date: new Date().toISOString(), matMulGflops: machine.matMulGflops, load: rounded(loadavg()[0], 2) },
    };
    console.log(
      `${network} ${epsilon}: single ${line.single}, batch ${line.batch} CPU-seconds, ratio ${line.ratio}; ${JSON.stringify(line.settledBy)}`,
    );
    for (const { changed, cpuSeconds, unknown, settledBy } of line.ablation)
      console.log(
        `  ${changed}: ${cpuSeconds} CPU-seconds instead of ${line.batch}, unknown ${unknown}; ${JSON.stringify(settledBy)}`,
      );
    const others = lines.filter((other) => other.network !== network || other.epsilon !== epsilon);
    lines = inOrder(suite, [...others, line]);
    if (isStored) writeResult(result, machine, { secondsPerBall, ...summary(lines), lines });
  }
  const { geometricMean, worst } = summary(lines);
  const table = options.ablation ? ablationTable(lines) : ratioTable(lines);
  const text = `Geometric mean of the ratios of batch ${geometricMean}, worst row ${worst}. At most ${secondsPerBall} s a ball, one thread. ${machineText(machine)}.`;
  console.log(`\n${table}\n\n${text}\n`);
  if (isStored && options['write-readme']) renewBlock('bench/README.md', result, `${table}\n\n${text}`);
  const wrong = lines.filter(({ contradictions }) => contradictions > 0);
  if (wrong.length > 0)
    throw new Error(`modes contradict each other: ${wrong.map(({ network }) => network).join(', ')}`);
}

interface Asked {
  readonly count: number;
  readonly secondsPerBall: number;
  /** Repetitions, all ways of settling in turn, of which the median of the CPU-seconds counts. */
  readonly runs: number;
  /** Whether each technique is also switched the other way than it is by default. */
  readonly isAblated: boolean;
}

async function measure(network: string, epsilon: number, { count, secondsPerBall, runs, isAblated }: Asked) {
  const isExample = network === example;
  const model = isExample
    ? { name: 'conv.onnx', bytes: readFileSync(exampleFile('conv.onnx')) }
    : readBenchmark(`nets/${network}.onnx`);
  const engine = await createEngine(model.bytes, model.name);
  const engines = [engine];
  const images = isExample
    ? readImages({ name: 'digits-test.npz', bytes: readFileSync(exampleFile('digits-test.npz')) })
    : readMnist();
  const { chosen, others } = await correct(engine, images, count);
  const own = ballSet(engine, images, chosen, epsilon);
  // Other images where there are any; else the first of the same, of which nothing is kept but compiled programs.
  const warm = ballSet(engine, images, others.length > 0 ? others : chosen.slice(0, 50), epsilon);
  await warmedUp(() => settleSet(engine, warm, { mode: 'single', secondsPerBall: 1, bandit: emptyPosterior }));
  const alone = () => settleSet(engine, own, { mode: 'single', secondsPerBall, bandit: emptyPosterior });
  /** Settles with an engine of its own, warmed up before; one that keeps lemmas anew each time, since it would know what it proved before. */
  const grouping = (techniques: Techniques): (() => Promise<SettledSet>) => {
    const settings = { mode: 'batch', techniques } as const;
    // Joint bounds wait for no amount of work: sets are small.
    const begin = async () => {
      const fresh = await createEngine(model.bytes, model.name, { joint: { startAfter: 0 } });
      const learned = await warmedUp(() =>
        settleSet(fresh, warm, { ...settings, secondsPerBall: 1, bandit: emptyPosterior }),
      );
      return { fresh, bandit: asPrior(learned.state.bandit) };
    };
    let kept: ReturnType<typeof begin> | undefined;
    return async () => {
      kept ??= begin();
      const { fresh, bandit } = await kept;
      if (techniques.lemmas) kept = undefined;
      else if (!engines.includes(fresh)) engines.push(fresh);
      const settled = await settleSet(fresh, own, { ...settings, secondsPerBall, bandit });
      if (techniques.lemmas) await fresh.release();
      return settled;
    };
  };
  const names = isAblated ? (Object.keys(usualTechniques) as (keyof Techniques)[]) : [];
  const ways = [
    { way: 'single', settle: alone },
    { way: 'batch', settle: grouping(usualTechniques) },
    ...names.map((name) => ({
      way: `${name} ${usualTechniques[name] ? 'off' : 'on'}`,
      settle: grouping({ ...usualTechniques, [name]: !usualTechniques[name] }),
    })),
  ];
  const found: SettledSet[][] = ways.map(() => []);
  for (let run = 0; run < runs; run++) {
    for (const [i, { settle }] of ways.entries()) found[i].push(await settle());
  }
  const [single, batch, ...changed] = found.map((sets) => ({
    state: sets[0].state,
    sizes: sets[0].sizes,
    cpuSeconds: median(sets.map(({ cpuSeconds }) => cpuSeconds)),
  }));
  for (const one of engines) await one.release();
  const statuses = (set: SettledSet) => chosen.map((_, i) => statusAt(set.state, i));
  const [one, joint] = [statuses(single), statuses(batch)];
  const unknown = (list: readonly string[]): number => list.filter((status) => status === 'unknown').length;
  return {
    network,
    epsilon,
    balls: chosen.length,
    single: rounded(single.cpuSeconds),
    batch: rounded(batch.cpuSeconds),
    runs,
    ratio: rounded(single.cpuSeconds / batch.cpuSeconds, 3),
    unknownSingle: unknown(one),
    unknownBatch: unknown(joint),
    contradictions: one.filter((status, i) => status !== joint[i] && status !== 'unknown' && joint[i] !== 'unknown')
      .length,
    settledBy: settlersOf(batch),
    sizes: Object.fromEntries([...batch.sizes].sort(([a], [b]) => a - b)),
    ablation: changed.map((set, i) => ({
      changed: ways[i + 2].way,
      cpuSeconds: rounded(set.cpuSeconds),
      unknown: unknown(statuses(set)),
      settledBy: settlersOf(set),
    })),
  };
}

/** Passes over the other images until JavaScript is compiled for good, which takes some: as many as go into so many seconds. */
const mostWarmUps = 10;
const secondsOfWarmUp = 6;

/** What the first pass says. */
async function warmedUp(pass: () => Promise<SettledSet>): Promise<SettledSet> {
  const start = performance.now();
  const first = await pass();
  for (let i = 1; i < mostWarmUps && performance.now() - start < 1000 * secondsOfWarmUp; i++) await pass();
  return first;
}

/** How many balls have which verdict by which method. */
function settlersOf({ state }: SettledSet): Record<string, number> {
  const counts: Record<string, number> = {};
  for (let i = 0; i < state.settledBy.length; i++) {
    const status = statusAt(state, i);
    const by = status === 'unknown' ? status : `${status}: ${state.settlers[state.settledBy[i]]}`;
    counts[by] = (counts[by] ?? 0) + 1;
  }
  return counts;
}

const exampleFile = (name: string): string => path.join(root, 'examples', 'digits', name);

function ballSet(engine: Engine, images: Images, chosen: readonly number[], epsilon: number): BallSet {
  const { inputShape } = engine.network;
  return {
    epsilon,
    labels: chosen.map((index) => images.labels[index]),
    box: (i) => images.ball(chosen[i], epsilon, inputShape),
    centre: (i) => images.pixels(chosen[i], inputShape),
  };
}

/** The first images that the model classifies correctly, and as many (at most 100) of the next. */
async function correct(engine: Engine, images: Images, count: number): Promise<{ chosen: number[]; others: number[] }> {
  const found: number[] = [];
  for (let index = 0; index < images.labels.length && found.length < count + 100; index++) {
    const scores = await engine.original.scores(images.pixels(index, engine.network.inputShape), 1);
    if (predictedClass(scores) === images.labels[index]) found.push(index);
  }
  return { chosen: found.slice(0, count), others: found.slice(count) };
}
