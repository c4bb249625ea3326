import { buildReport, type ReportParts } from '../../lib/report/build';
import type { BallVerdict, BatchSummary, Report } from '../../lib/report/record';
import type { RunRecord } from '../../lib/schedule/records';

/** A small run over four inputs and two radii with every verdict in it; `changes` replaces parts. */
export function sampleParts(changes: Partial<ReportParts> = {}): ReportParts {
  return {
    run: sampleRun(),
    preprocessing: { layout: 'HWC', scale: 1 / 255, mean: [0.1307], std: [0.3081], clip: [0, 1] },
    balls: sampleBalls,
    batches: sampleBatches,
    wallSeconds: 3.25,
    cpuSeconds: 5.5,
    rounds: 2,
    status: 'done',
    problems: [],
    ...changes,
  };
}

export function sampleReport(changes: Partial<ReportParts> = {}): Report {
  return buildReport(sampleParts(changes));
}

export function sampleRun(changes: Partial<RunRecord> = {}): RunRecord {
  return {
    version: 1,
    id: '2026-11-22-a',
    request: {
      version: 1,
      model: 'models/digits.onnx',
      dataset: 'datasets/digits',
      epsilons: [
        { text: '0.01', value: 0.01 },
        { text: '8/255', value: 8 / 255 },
      ],
      mode: 'batch',
      secondsPerBall: 10,
      seed: 7,
      workers: 2,
      acceptLowAccuracy: false,
    },
    modelHash: 'a'.repeat(64),
    datasetHash: 'b'.repeat(64),
    datasetName: 'digits-test.npz',
    inputs: 4,
    classes: 10,
    cleanAccuracy: 0.75,
    versions: { baverly: '0.1.0', node: '20.20.2' },
    startedAt: '2026-11-22T13:00:00.000Z',
    ...changes,
  };
}

export const sampleBalls: readonly BallVerdict[] = [
  robust(0, 7, '0.01', '0-0', 2.5),
  robust(1, 2, '0.01', '0-1', 1.25),
  { ...misclassified(2, 1, '0.01'), predicted: 4 },
  robust(3, 0, '0.01', '0-2', 0.125),
  robust(0, 7, '8/255', '1-0', 0.5),
  {
    index: 1,
    label: 2,
    epsilon: '8/255',
    verdict: 'not-robust',
    settledBy: 'attack',
    cpuSeconds: 0.03,
    predicted: 3,
    witness: 'runs/2026-11-22-a/witnesses/1-1.npy',
    batch: '1-1',
  },
  { ...misclassified(2, 1, '8/255'), predicted: 4 },
  { index: 3, label: 0, epsilon: '8/255', verdict: 'unknown', reason: 'time', cpuSeconds: 4, margin: -0.02 },
];

function robust(index: number, label: number, epsilon: string, batch: string, margin: number): BallVerdict {
  return { index, label, epsilon, verdict: 'robust', settledBy: 'bound', cpuSeconds: 0.01, margin, batch };
}

function misclassified(index: number, label: number, epsilon: string): BallVerdict {
  return { index, label, epsilon, verdict: 'misclassified', settledBy: 'prediction', cpuSeconds: 0 };
}

const sampleBatches: readonly BatchSummary[] = [
  batch('0-0', 'first', '0.01', 7, { robust: 1, cpuSeconds: 0.25 }),
  batch('0-1', 'first', '0.01', 2, { robust: 1, cpuSeconds: 0.25 }),
  batch('0-2', 'first', '0.01', 0, { robust: 1, cpuSeconds: 0.5 }),
  batch('1-0', 'first', '8/255', 7, { robust: 1, cpuSeconds: 0.5 }),
  batch('1-1', 'suspect', '8/255', 2, { notRobust: 1, cpuSeconds: 0.5 }),
  { ...batch('1-2', 'retry', '8/255', 0, { open: 1, cpuSeconds: 3.5 }), error: 'States.Timeout' },
];

function batch(
  id: string,
  kind: BatchSummary['kind'],
  epsilon: string,
  label: number,
  changes: Partial<BatchSummary>,
): BatchSummary {
  const round = Number(id.split('-')[0]);
  return { id, round, kind, epsilon, label, size: 1, robust: 0, notRobust: 0, open: 0, cpuSeconds: 0, ...changes };
}
