import { functionStorage } from '../lib/observe/function';
import { logMiniBatch } from '../lib/observe/log';
import { countMiniBatch } from '../lib/observe/metrics';
import { annotate, traced, tracedStep } from '../lib/observe/trace';
import { memoryFromEnvironment } from '../lib/pipeline/memory';
import { techniquesFromEnvironment } from '../lib/pipeline/techniques';
import { createVerifier, type VerifySummary } from '../lib/pipeline/verify';
import { miniBatchSchema } from '../lib/schedule/records';
import { verifyInputSchema } from '../lib/workflow/events';

/** Model and sessions stay warm between the calls of one process. */
const verifier = createVerifier(memoryFromEnvironment(), Date.now, techniquesFromEnvironment(), {
  onResult: ({ run }, result) => countMiniBatch(run, result),
  step: tracedStep,
});

/** States `Round` and `LongRound`: one mini-batch. */
export const handler = traced('verify', async (input): Promise<VerifySummary> => {
  const batch = miniBatchSchema.parse(verifyInputSchema.parse(input).batch);
  annotate({ run: batch.run, round: batch.round, batch: batch.id });
  const summary = await verifier.verify(functionStorage(), batch);
  logMiniBatch(batch, summary);
  return summary;
});
