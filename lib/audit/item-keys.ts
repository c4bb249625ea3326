import { createHash } from 'node:crypto';
import type { Preprocessing, RawValues } from '../dataset/dataset';
import { littleEndianBytes } from '../dataset/elements';
import type { Records } from '../dataset/records';
import { BadInputError } from '../errors';

/** Inputs read at a time. */
const perRead = 1024;

/**
 * What tells an input from others wherever it stands in whichever data set: SHA-256, hex, over its raw values (as float64, so
 * that it does not matter how they are stored), their shape, the preprocessing, and the label.
 *
 * For one model, inputs with the same key have the same balls and the same question: pixels, box and label are functions of
 * exactly these values and of the model's input shape (lib/dataset/preprocess.ts, lib/region/ball.ts).
 */
export function itemKey(
  raw: RawValues,
  label: number,
  shape: readonly number[],
  { layout, scale, mean, std, clip }: Preprocessing,
): string {
  return createHash('sha256')
    .update(JSON.stringify([shape, layout, scale, mean, std, clip, label]))
    .update(littleEndianBytes(Float64Array.from(raw)))
    .digest('hex');
}

/**
 * The keys of the first `count` inputs, read piece by piece. The whole content is hashed on the way: it must be what the run was
 * planned with, since a key of another content would let its verdicts be reused for a question that was never asked.
 *
 * @throws BadInputError where the content has another hash than `datasetHash`
 */
export async function readItemKeys(records: Records, count: number, datasetHash: string): Promise<string[]> {
  const { manifest } = records;
  const content = createHash('sha256');
  const labels = await records.labels();
  const keys: string[] = [];
  for (let start = 0; start < manifest.count; start += perRead) {
    const indices = Array.from({ length: Math.min(perRead, manifest.count - start) }, (_, i) => start + i);
    for (const [i, raw] of (await records.read(indices)).entries()) {
      content.update(littleEndianBytes(raw));
      const index = start + i;
      if (index < count) keys.push(itemKey(raw, labels[index], manifest.shape, manifest.preprocessing));
    }
  }
  if (content.update(littleEndianBytes(labels)).digest('hex') !== datasetHash) {
    const problem = 'its content is not what the run was planned with: start a new run';
    throw new BadInputError(`data set ${manifest.name}`, [problem]);
  }
  return keys;
}
