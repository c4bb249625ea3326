import { logMiniBatch } from '../lib/observe/log';
import { countMiniBatch } from '../lib/observe/metrics';
import { memoryFromEnvironment } from '../lib/pipeline/memory';
import { techniquesFromEnvironment } from '../lib/pipeline/techniques';
import { createVerifier, type VerifySummary } from '../lib/pipeline/verify';
import { storageFromEnvironment } from '../lib/storage/open';
import { verifyInputSchema } from '../lib/workflow/events';

/** Model and sessions stay warm between the calls of one process. */
const verifier = createVerifier(memoryFromEnvironment(), Date.now, techniquesFromEnvironment(), {
  onResult: ({ run }, result) => countMiniBatch(run, result),
});

/** States `Round` and `LongRound`: one mini-batch. */
export const handler = async (input: unknown): Promise<VerifySummary> => {
  const { batch } = verifyInputSchema.parse(input);
  const summary = await verifier.verify(storageFromEnvironment(), batch);
  logMiniBatch(batch, summary);
  return summary;
};
