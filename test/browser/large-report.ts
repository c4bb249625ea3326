import { buildReport } from '../../lib/report/build';
import type { GalleryItem } from '../../lib/report/html';
import type { BallVerdict, BatchSummary, Report } from '../../lib/report/record';
import { sampleParts, sampleRun } from '../report/sample';

const radii = ['0.005', '0.01', '0.02', '0.03', '0.05'];

/** A run of 4,000 inputs at five radii: 20,000 balls with every verdict, and 1,250 mini-batches. */
export function largeReport(): Report {
  const inputs = 4_000;
  const balls = Array.from({ length: inputs * radii.length }, (_, k) =>
    ballAt(Math.floor(k / radii.length), k % radii.length),
  );
  const batches = radii.flatMap((epsilon, e) => Array.from({ length: 250 }, (_, k) => batchAt(epsilon, e, k)));
  const { request } = sampleRun();
  const epsilons = radii.map((text) => ({ text, value: Number(text) }));
  const run = sampleRun({ inputs, request: { ...request, epsilons } });
  return buildReport(sampleParts({ run, balls, batches, wallSeconds: 900, cpuSeconds: 1_800, rounds: 7 }));
}

function ballAt(index: number, radius: number): BallVerdict {
  const ball = { index, label: index % 10, epsilon: radii[radius], cpuSeconds: ((index * 37) % 101) / 1_000 };
  if (index % 41 === 0) {
    return { ...ball, verdict: 'misclassified', settledBy: 'prediction', predicted: (index + 1) % 10, cpuSeconds: 0 };
  }
  const batch = `${radius}-${Math.floor(index / 16)}`;
  switch ((index * 7 + radius * 3) % 10) {
    case 0:
    case 1:
      return {
        ...ball,
        verdict: 'not-robust',
        settledBy: 'attack',
        predicted: (index + 3) % 10,
        witness: `runs/a/witnesses/${radius}-${index}.npy`,
        batch,
      };
    case 2:
      return { ...ball, verdict: 'unknown', reason: 'search not run', margin: -((index * 13) % 97) / 1_000 };
    default:
      return { ...ball, verdict: 'robust', settledBy: 'bound', margin: ((index * 29) % 997) / 100 + 0.01, batch };
  }
}

function batchAt(epsilon: string, round: number, k: number): BatchSummary {
  const id = `${round}-${k}`;
  return {
    id,
    round,
    kind: 'first',
    epsilon,
    label: k % 10,
    size: 16,
    robust: 12,
    notRobust: 3,
    open: 1,
    cpuSeconds: 1,
  };
}

/** Counterexamples of three kinds of input: flat grey, flat strip, and three channels. */
export function galleryOf(report: Report): GalleryItem[] {
  const refuted = report.balls.filter(({ verdict }) => verdict === 'not-robust').slice(0, 3);
  const shapes = [[784, 1], [5], [3, 32, 32]];
  return refuted.map((ball, k) => {
    const original = Float64Array.from(
      { length: shapes[k].reduce((product, side) => product * side, 1) },
      (_, i) => ((i * 7) % 64) / 63,
    );
    const counterexample = original.map((value, i) => Math.min(1, Math.max(0, value + (i % 2 ? 0.02 : -0.02))));
    const { index, label, epsilon, predicted = 0 } = ball;
    return { index, label, predicted, epsilon, original, counterexample, shape: shapes[k] };
  });
}
