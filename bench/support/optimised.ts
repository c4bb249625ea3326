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
/** CPU-seconds that optimisation may take for a ball: enough for slopes and a few splits. */
const secondsPerBall = 0.05;

/** The first images: CROWN for all of them, then slopes optimised (and a few neurons split) for those that it leaves. */
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
    const left = all.filter(({ violation }, i) => !(provenMargin(violation, bounds[i].rows) > 0));
    byCrown = verified = balls - left.length;
    for (const { box, violation, rows } of left) {
      const { kind } = await engine.searcher.search(box, violation, rows, {
        deadline: Date.now() + 60_000,
        cpuSeconds: secondsPerBall,
      });
      if (kind === 'proven') verified++;
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
