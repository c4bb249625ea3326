/**
 * A whole run of 10^3 to 10^6 balls through the state machine, its interpreter, storage and coordinator; only verify is replaced by a cost model
 * drawn from a real run:
 *   npm run bench -- scale [--power 6] [--law <folder of a run>] [--folder <where>] [--write-readme]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { coordinateRound } from '../lib/pipeline/coordinate';
import { planRun } from '../lib/pipeline/plan';
import { finishScan, scanChunk } from '../lib/pipeline/plan-scan';
import { reportRun } from '../lib/pipeline/report';
import { lastState } from '../lib/pipeline/state';
import { summarise } from '../lib/schedule/summary';
import { fileStorage } from '../lib/storage/files';
import type { Storage } from '../lib/storage/storage';
import { coordinateInputSchema, planInputSchema, type RunReference, verifyInputSchema } from '../lib/workflow/events';
import { runLocally } from '../lib/workflow/local';
import { readMapFailures } from '../lib/workflow/map-results';
import { type Law, readLaw, storeLaw } from './support/law';
import { describeMachine, machineText } from './support/machine';
import { cpuClock, rounded } from './support/measure';
import { optionsOf, positive } from './support/options';
import { markdownTable, renewBlock, writeResult } from './support/results';
import { simulatedVerify, writeSimulated } from './support/simulated-run';

const run: RunReference = { id: 'scale', bucket: 'bench' };
const mebibyte = 2 ** 20;

/** What a run of one size took. Seconds are CPU-seconds of this process by function; `simulated` those that the mini-batches stand for. */
interface Measured {
  readonly balls: number;
  readonly status: string;
  readonly verdicts: Readonly<Record<string, number>>;
  readonly rounds: number;
  readonly miniBatches: number;
  readonly historyEvents: number;
  /** Of what went into a function or came out of it. */
  readonly largestPayload: number;
  readonly objects: number;
  readonly gigabytes: number;
  readonly simulated: number;
  readonly seconds: Readonly<Record<string, number>>;
  /** Longest single call; of scan, whose chunks are looked at together, all of them. */
  readonly longest: Readonly<Record<string, number>>;
  readonly wallSeconds: number;
  /** Coordinate's CPU-seconds for each simulated second. */
  readonly coordinatorShare: number;
  readonly peakMemoryMiB: number;
}

async function measure(storage: Storage, law: Law, balls: number): Promise<Measured> {
  await writeSimulated(storage, run.id, balls);
  const seconds: Record<string, number> = {};
  const longest: Record<string, number> = {};
  let [simulated, miniBatches, largestPayload, historyEvents] = [0, 0, 0, 0];
  const atWork = new Map<string, { clock: () => number; calls: number }>();
  /** Calls of one function at the same time share one clock, since that is of the process. */
  const timed = async <Value>(name: string, work: () => Promise<Value>): Promise<Value> => {
    const shared = atWork.get(name) ?? { clock: cpuClock(), calls: 0 };
    atWork.set(name, shared);
    shared.calls++;
    const value = await work();
    if (--shared.calls === 0) {
      atWork.delete(name);
      seconds[name] = (seconds[name] ?? 0) + shared.clock();
      longest[name] = Math.max(longest[name] ?? 0, shared.clock());
    }
    return value;
  };
  const functions: Record<string, (payload: unknown) => Promise<unknown>> = {
    async plan(payload) {
      const asked = planInputSchema.parse(payload);
      if ('chunk' in asked) return timed('scan', () => scanChunk(storage, asked.chunk));
      if ('scanned' in asked) return { run, round: await timed('cluster', () => finishScan(storage, run.id)) };
      return { run, round: await timed('plan', () => planRun(storage, run.id)) };
    },
    async verify(payload) {
      const { id, wallSeconds } = await simulatedVerify(storage, law, verifyInputSchema.parse(payload).batch);
      simulated += wallSeconds;
      miniBatches++;
      return { id };
    },
    async coordinate(payload) {
      const { round, map } = coordinateInputSchema.parse(payload);
      const work = async () => coordinateRound(storage, run.id, round.number, await readMapFailures(storage, map));
      return { run, round: await timed('coordinate', work) };
    },
    report: () => timed('report', () => reportRun(storage, run.id, undefined)),
  };
  const size = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));
  const begun = Date.now();
  const result = await runLocally({
    storage,
    bucket: run.bucket,
    pool: {
      async invoke(name, input) {
        const payload = await functions[name](input);
        largestPayload = Math.max(largestPayload, size(input), size(payload));
        return { payload, cpuSeconds: 0 };
      },
    },
    concurrency: 16,
    input: { kind: 'run', bucket: run.bucket, run: run.id },
    onEvent: (event) => {
      if (event.kind === 'history') historyEvents++;
    },
  });
  if (result.status !== 'SUCCEEDED') throw new Error(`the run of ${balls} balls: ${JSON.stringify(result)}`);
  const state = await lastState(storage, run.id);
  if (state === undefined) throw new Error('the run left no state');
  const { epsilon: _, ...verdicts } = summarise(state).radii[0];
  const objects = await storage.list('runs/');
  return {
    balls,
    status: result.status,
    verdicts,
    rounds: state.round,
    ...{ miniBatches, historyEvents, largestPayload, objects: objects.length },
    gigabytes: rounded(objects.reduce((sum, object) => sum + object.size, 0) / 1e9, 3),
    simulated: rounded(simulated),
    seconds: roundedAll(seconds),
    longest: roundedAll(longest),
    wallSeconds: rounded((Date.now() - begun) / 1000, 3),
    coordinatorShare: rounded(seconds.coordinate / simulated, 2),
    peakMemoryMiB: Math.round((process.resourceUsage().maxRSS * 1024) / mebibyte),
  };
}

function roundedAll(values: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, rounded(value, 3)]));
}

export async function scale(args: string[]): Promise<void> {
  const options = optionsOf(args, {
    power: { type: 'string', default: '6' },
    law: { type: 'string' },
    folder: { type: 'string', default: tmpdir() },
    'write-readme': { type: 'boolean', default: false },
  });
  if (options.law !== undefined) return storeLaw(options.law);
  const power = positive(options.power, 'power');
  const law = readLaw();
  const machine = await describeMachine();
  const sizes: Measured[] = [];
  for (let exponent = 3; exponent <= power; exponent++) {
    const folder = mkdtempSync(path.join(options.folder, 'baverly-scale-'));
    try {
      const measured = await measure(fileStorage(folder), law, 10 ** exponent);
      console.log(JSON.stringify(measured));
      sizes.push(measured);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  writeResult('scale', machine, { law: `${law.model} at ${law.epsilon}`, sizes });
  if (options['write-readme']) renewBlock('bench/README.md', 'scale', `${table(sizes)}\n\n${machineText(machine)}.`);
  const tooMuch = sizes.filter(({ coordinatorShare, largestPayload, historyEvents }) => {
    return coordinatorShare > 0.01 || largestPayload >= 262_144 || historyEvents >= 20_000;
  });
  if (tooMuch.length > 0) throw new Error(`${tooMuch.length} sizes exceed a limit (coordinator 1 %, payload, events)`);
}

function table(sizes: readonly Measured[]): string {
  const head = ['balls', 'mini-batches', 'rounds', 'events', 'largest payload, bytes', 'objects', 'simulated Lambda s'];
  const measured = [
    'coordinate, CPU-s',
    'of it',
    'planning, CPU-s',
    'report, CPU-s',
    'all, wall s',
    'peak memory, MiB',
  ];
  const rows = sizes.map((size) => {
    const { plan = 0, scan = 0, cluster = 0, coordinate, report } = size.seconds;
    return [
      ...[size.balls, size.miniBatches, size.rounds, size.historyEvents, size.largestPayload, size.objects],
      ...[
        size.simulated,
        coordinate,
        `${rounded(100 * size.coordinatorShare, 2)} %`,
        rounded(plan + scan + cluster, 3),
      ],
      ...[report, size.wallSeconds, size.peakMemoryMiB],
    ];
  });
  return markdownTable([...head, ...measured], rows);
}
