import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { BadInputError } from '../../lib/errors';
import { fitFirstAttempts, observe } from '../../lib/estimate/observed';
import { readSample } from '../../lib/estimate/read-sample';
import { readRecord } from '../../lib/pipeline/records';
import { fileStorage } from '../../lib/storage/files';
import { rounded } from './measure';
import { root } from './results';

const attemptSchema = z.tuple([z.enum(['robust', 'not-robust', 'open']), z.number()]);

/** How balls of a real run behaved, to be replayed without the engine: `bench/results/law.json`. */
export const lawSchema = z.strictObject({
  model: z.string(),
  epsilon: z.string(),
  /** Seconds of a first attempt: for a mini-batch, a ball, and one that the bound leaves. */
  perCall: z.number(),
  perBall: z.number(),
  perDoubtful: z.number(),
  /** Balls that the first bound proved. */
  proven: z.int(),
  /** The attempts at each of the others. */
  stories: z.array(z.array(attemptSchema)),
});
export type Law = z.infer<typeof lawSchema>;

const file = path.join(root, 'bench', 'results', 'law.json');

export function readLaw(): Law {
  if (!existsSync(file)) throw new BadInputError(`there is no ${file}: measure it with --law <folder of a run>`, []);
  return lawSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
}

/** Takes the law from a run in an output folder, at its first radius, and stores it. */
export async function storeLaw(folder: string): Promise<void> {
  const storage = fileStorage(folder);
  const record = await readRecord(storage, 'local');
  const everyone = Array.from({ length: record.inputs }, (_, i) => i);
  const batches = await readSample(storage, 'local', everyone);
  const { perCall, perBall, perDoubtful } = fitFirstAttempts(batches);
  const balls = [...observe(batches, record.request.epsilons.length).values()].map(([first]) => first);
  const stories = balls
    .filter(([first]) => first.verdict !== 'robust')
    .map((attempts) =>
      attempts.map(({ verdict, seconds }): [typeof verdict, number] => [verdict, rounded(seconds, 3)]),
    );
  const law: Law = {
    model: path.basename(record.request.model),
    epsilon: record.request.epsilons[0].text,
    perCall: rounded(perCall, 3),
    perBall: rounded(perBall, 3),
    perDoubtful: rounded(perDoubtful, 3),
    proven: balls.length - stories.length,
    stories,
  };
  const { stories: _, ...head } = law;
  const lines = stories.map((story) => `    ${JSON.stringify(story)}`);
  const text = JSON.stringify(head, null, 2).replace(/\n\}$/, ',');
  writeFileSync(file, `${text}\n  "stories": [\n${lines.join(',\n')}\n  ]\n}\n`);
  console.log(`written: ${path.relative(root, file)}`);
}
