import { z } from 'zod';
import { planningChunks } from '../cost/deployment';
import { checkDataSet } from '../dataset/check';
import { sizeOf } from '../dataset/dataset';
import { openRecords, type Records } from '../dataset/records';
import { BadInputError } from '../errors';
import { createEngine, type Engine } from '../group/engine';
import { createFingerprints, decodeFingerprints, encodeFingerprints, type Fingerprints } from '../group/fingerprint';
import { chosenBits, fingerprintsOf, sampledPoints } from '../group/patterns';
import { packIds, unpackIds } from '../schedule/packed';
import type { RunRequest } from '../schedule/records';
import { MissingKeyError, type Storage } from '../storage/storage';
import type { ChunkOutput, Round } from '../workflow/events';
import { writeFirstPlan } from './first-plan';
import { readInputs } from './inputs';
import { chunkKey, chunkPrintsKey, scanKey, scanPlanKey } from './keys';
import { predict } from './predict';
import { readJson, readRequest, toLines } from './records';

/** From when a data set is looked at in chunks, and how large these are. */
export interface ScanLimits {
  /** Most inputs, and bytes of them, that one call of plan looks at by itself. */
  readonly inputs: number;
  readonly bytes: number;
  /** Most inputs and bytes of a chunk. */
  readonly chunkInputs: number;
  readonly chunkBytes: number;
}

const mebibyte = 2 ** 20;
/** Well within a call's memory, and its 15 minutes at 40 ms an input. */
export const scanLimits: ScanLimits = {
  inputs: planningChunks.from,
  bytes: 256 * mebibyte,
  chunkInputs: planningChunks.chunkInputs,
  chunkBytes: 64 * mebibyte,
};

/** What all chunks of a scan share: `rounds/scan/scan.json`. */
const scanSchema = z.strictObject({
  version: z.literal(2),
  modelHash: z.string(),
  datasetHash: z.string(),
  inputs: z.int().positive(),
  chunks: z.int().positive(),
  /** The bits that fingerprints record (lib/group/patterns.ts), packed, and what each adds. */
  bits: z.string(),
  added: z.array(z.number()),
});

/** One line of `rounds/scan/plan.jsonl`: inputs `first` to `end` - 1. */
export const chunkSchema = z.strictObject({
  run: z.string(),
  chunk: z.int().nonnegative(),
  first: z.int().nonnegative(),
  end: z.int().positive(),
});
type Chunk = z.infer<typeof chunkSchema>;

const chunkResultSchema = z.strictObject({
  modelHash: z.string(),
  datasetHash: z.string(),
  problems: z.array(z.string()),
  predicted: z.array(z.int()),
});
type ChunkResult = z.infer<typeof chunkResultSchema>;

const itemBytesOf = ({ manifest: { shape, dtype } }: Records): number =>
  sizeOf(shape) * { uint8: 1, float32: 4, float64: 8 }[dtype];

/** Whether the first `count` inputs are more than one call should look at. */
export function isScanned(records: Records, count: number, limits: ScanLimits): boolean {
  return count > limits.inputs || count * itemBytesOf(records) > limits.bytes;
}

/** What `beginScan` needs of the run. */
export interface ScanStart {
  readonly request: RunRequest;
  readonly engine: Engine;
  readonly records: Records;
  readonly count: number;
  /** What is known to be wrong already. */
  readonly problems: readonly string[];
}

/**
 * Prepares the scan of a large data set: checks its hash (by ranges) and labels, chooses the bits of the fingerprints from a sample, and
 * writes the chunks. Each is looked at by a call of its own (`scanChunk`), then `finishScan` plans the first round. No call ever
 * holds more than a chunk of the data set, and none depends on the order of the others.
 */
export async function beginScan(storage: Storage, run: string, start: ScanStart, limits: ScanLimits): Promise<Round> {
  const { request, engine, records, count } = start;
  const { name, preprocessing, sha256, shape } = records.manifest;
  await records.checkHash();
  const [values, labels] = [await records.values(0, 1), await records.labels()];
  // Layout, shape and every label; the values of the other inputs are checked with their chunks.
  const problems = checkDataSet({ count: 1, shape, values, labels }, preprocessing, engine.network);
  if (problems.length + start.problems.length > 0)
    throw new BadInputError(`data set ${name}`, [...problems, ...start.problems]);
  const sample = sampledPoints(count);
  const { centre } = await readInputs(records, engine.network, sample);
  const bits = await chosenBits(engine.bounder.programs, sample.filter(isUsable(centre)), centre);
  const perChunk = Math.floor(limits.chunkBytes / itemBytesOf(records));
  const size = Math.max(1, Math.min(limits.chunkInputs, perChunk));
  const chunks = Array.from({ length: Math.ceil(count / size) }, (_, chunk): Chunk => {
    return { run, chunk, first: chunk * size, end: Math.min((chunk + 1) * size, count) };
  });
  const scan: z.infer<typeof scanSchema> = {
    version: 2,
    modelHash: engine.hash,
    datasetHash: sha256,
    inputs: count,
    chunks: chunks.length,
    bits: packIds(bits.ids),
    added: [...bits.added],
  };
  await storage.put(scanKey(run), `${JSON.stringify(scan, null, 2)}\n`);
  await storage.put(scanPlanKey(run), toLines(chunks));
  const shared = { number: 0, long: false, done: false, scan: true } as const;
  return { ...shared, planKey: scanPlanKey(run), batches: chunks.length, maxConcurrency: request.workers };
}

/** Whether an input can be fed to the network; what is wrong with others is told with their chunks. */
function isUsable(centre: (input: number) => Float32Array): (input: number) => boolean {
  return (input) => {
    try {
      centre(input);
      return true;
    } catch (error) {
      if (error instanceof BadInputError) return false;
      throw error;
    }
  };
}

/** Looks at one chunk: checks, predicts and fingerprints its inputs. One that was looked at before is not again. */
export async function scanChunk(storage: Storage, event: unknown): Promise<ChunkOutput> {
  const { run, chunk, first, end } = chunkSchema.parse(event);
  const scan = await readJson(storage, scanKey(run), scanSchema);
  const { modelHash, datasetHash } = scan;
  const isOfThisScan = (result: ChunkResult): boolean =>
    result.modelHash === modelHash && result.datasetHash === datasetHash && result.predicted.length === end - first;
  const earlier = await existing(storage, chunkKey(run, chunk));
  if (earlier !== undefined && isOfThisScan(earlier)) return { chunk, problems: earlier.problems.length };
  const request = await readRequest(storage, run);
  const engine = await createEngine(await storage.get(request.model), `model ${request.model}`);
  try {
    const records = await openRecords(storage, request.dataset, request.preprocessing);
    if (engine.hash !== modelHash || records.manifest.sha256 !== datasetHash)
      throw new Error(`model or data set of run ${run} changed since its scan began`);
    const { preprocessing, shape } = records.manifest;
    const labels = (await records.labels()).slice(first, end);
    const values = await records.values(first, end);
    const found = checkDataSet({ count: end - first, shape, values, labels }, preprocessing, engine.network);
    const problems = found.map((problem) => `inputs ${first} to ${end - 1}, counted from 0: ${problem}`);
    const length = end - first;
    const ids = Array.from({ length }, (_, i) => first + i);
    let predicted = new Int32Array(length);
    if (problems.length === 0) {
      const { centre } = await readInputs(records, engine.network, ids);
      predicted = Int32Array.from(await predict(engine, centre, { first, length }));
      const bits = { ids: unpackIds(scan.bits), added: Float32Array.from(scan.added) };
      const prints = await fingerprintsOf(engine.bounder.programs, { first, length }, centre, bits);
      await storage.put(chunkPrintsKey(run, chunk), encodeFingerprints(prints));
    }
    const result: ChunkResult = { modelHash, datasetHash, problems, predicted: [...predicted] };
    await storage.put(chunkKey(run, chunk), JSON.stringify(result));
    return { chunk, problems: problems.length };
  } finally {
    await engine.release();
  }
}

async function existing(storage: Storage, key: string): Promise<ChunkResult | undefined> {
  try {
    return await readJson(storage, key, chunkResultSchema);
  } catch (error) {
    if (error instanceof MissingKeyError) return undefined;
    throw error;
  }
}

/** Chunks read at the same time. */
const parallel = 8;

/**
 * Plans the first round from the scan of a data set. The data set itself is not read.
 *
 * @throws BadInputError with the problems of all chunks
 */
export async function finishScan(storage: Storage, run: string, now: () => number = Date.now): Promise<Round> {
  const request = await readRequest(storage, run);
  const scan = await readJson(storage, scanKey(run), scanSchema);
  const chunks = Array.from({ length: scan.chunks }, (_, chunk) => chunk);
  const predicted = new Int32Array(scan.inputs);
  const problems: string[] = [];
  let at = 0;
  const read = (chunk: number): Promise<ChunkResult> => readJson(storage, chunkKey(run, chunk), chunkResultSchema);
  for (let start = 0; start < chunks.length; start += parallel) {
    for (const result of await Promise.all(chunks.slice(start, start + parallel).map(read))) {
      problems.push(...result.problems);
      predicted.set(result.predicted, at);
      at += result.predicted.length;
    }
  }
  const records = await openRecords(storage, request.dataset, request.preprocessing);
  if (problems.length > 0) throw new BadInputError(`data set ${records.manifest.name}`, problems);
  const prints = await gather(storage, run, chunks, scan.inputs, Math.max(1, unpackIds(scan.bits).length));
  const labels = (await records.labels()).slice(0, scan.inputs);
  const engine = await createEngine(await storage.get(request.model), `model ${request.model}`);
  try {
    return await writeFirstPlan(storage, run, { request, engine, records, labels, predicted, prints }, now);
  } finally {
    await engine.release();
  }
}

/** The fingerprints of all chunks, in order. */
async function gather(
  storage: Storage,
  run: string,
  chunks: readonly number[],
  inputs: number,
  bits: number,
): Promise<Fingerprints> {
  const prints = createFingerprints(inputs, bits);
  let at = 0;
  for (let start = 0; start < chunks.length; start += parallel) {
    const part = chunks.slice(start, start + parallel);
    const read = await Promise.all(part.map((chunk) => storage.get(chunkPrintsKey(run, chunk))));
    for (const bytes of read) {
      const { words } = decodeFingerprints(bytes);
      prints.words.set(words, at);
      at += words.length;
    }
  }
  return prints;
}
