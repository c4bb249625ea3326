/** Child process of cold-start.ts: prints the seconds from its start to the first verdict. */
import { readFileSync } from 'node:fs';
import { handler } from '../../functions/verify';
import { effortOf } from '../../lib/group/effort';
import { createEngine } from '../../lib/group/engine';
import { verifyMiniBatch } from '../../lib/group/verify';
import { misclassification } from '../../lib/region/violation';

async function main([model, epsilon]: readonly string[]): Promise<void> {
  if (typeof handler !== 'function') throw new Error('the verify function has no handler');
  const engine = await createEngine(readFileSync(model), model);
  const { inputSize, classes } = engine.network;
  const centre = new Float64Array(inputSize).fill(0.25);
  const box = { lower: centre.map((x) => x - Number(epsilon)), upper: centre.map((x) => x + Number(epsilon)) };
  const options = { effort: effortOf(1, 'first'), secondsPerBall: 20, deadline: Date.now() + 60_000 };
  const { members } = await verifyMiniBatch(
    engine,
    [{ box, violation: misclassification(0, classes), seed: 0 }],
    options,
  );
  if (members.length !== 1) throw new Error('no verdict');
  console.log(performance.now() / 1000);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
