import { marginRows, provenMargin } from '../../lib/bounds/margin';
import { createEngine } from '../../lib/group/engine';
import { misclassification } from '../../lib/region/violation';
import { type Images, readBenchmark } from './data';
import { cpuClock, median, rounded } from './measure';

export interface OptimisedLine {
  readonly network: string;
  readonly epsilon: number;
  readonly balls: number;
  readonly byCrown: number;
  /** By CROWN or optimised bounds. */
  readonly verified: number;
  readonly ballsPerCpuSecond: number;
  readonly runs: readonly number[];
}

const balls = 20;
const repetitions = 5;
/** Of the slopes of each margin, as many as the alpha-CROWN that this is compared with takes; fewer only where all margins are proven before. */
const steps = 20;

/** The first images: CROWN for all of them, then slopes optimised for the margins that it leaves. */
export async function optimisedBounds(images: Images, name: string, epsilon: number): Promise<OptimisedLine> {
  const engine = await createEngine(readBenchmark(`nets/${name}.onnx`).bytes, name);
  const { classes, inputShape } = engine.network;
  const all = Array.from({ length: balls }, (_, i) => {
    const violation = misclassification(images.labels[i], classes);
    return { box: images.ball(i, epsilon, inputShape), violation, rows: marginRows(violation) };
  });
  const runs: number[] = [];
  let [byCrown, verified] = [0, 0];
  for (let run = 0; run <= repetitions; run++) {
    const clock = cpuClock();
    const bounds = await engine.bounder.bound(all);
    byCrown = verified = all.filter(({ violation }, i) => provenMargin(violation, bounds[i].rows) > 0).length;
    for (const [i, { box, violation, rows }] of all.entries()) {
      const best = bounds[i].rows.slice();
      if (provenMargin(violation, best) > 0) continue;
      const open = [...rows.keys()].filter((row) => !(best[row] > 0));
      const raised = await engine.searcher.slopes(
        box,
        open.map((row) => rows[row]),
        steps,
      );
      for (const [k, row] of open.entries()) best[row] = Math.max(best[row], raised[k]);
      if (provenMargin(violation, best) > 0) verified++;
    }
    if (run > 0) runs.push(rounded(clock()));
  }
  await engine.release();
  return {
    network: name,
    epsilon,
    balls,
    byCrown,
    verified,
    ballsPerCpuSecond: rounded(balls / median(runs), 3),
    runs,
  };
}
