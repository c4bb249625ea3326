import { createHash } from 'node:crypto';
import { z } from 'zod';
import { BadInputError, messageOf } from '../errors';
import { getText, type Storage } from '../storage/storage';
import { type DataSet, type Preprocessing, type RawValues, sizeOf } from './dataset';
import { decodeElements, type ElementType, elementSize, littleEndianBytes } from './elements';
import { dataSetLimits } from './limits';
import { preprocessingSchema } from './preprocess';
import { coalesce } from './ranges';

/** `<prefix>/dataset.json`: the description of a data set in storage. */
export const manifestSchema = z.strictObject({
  version: z.literal(1),
  name: z.string(),
  count: z.int().positive().max(dataSetLimits.inputs),
  /** Of one item, as the file had it. */
  shape: z
    .array(z.int().positive())
    .min(1)
    .max(8)
    .refine((shape) => sizeOf(shape) <= dataSetLimits.inputValues, {
      error: `an input has at most ${dataSetLimits.inputValues} values`,
    }),
  dtype: z.enum(['uint8', 'float32', 'float64']),
  preprocessing: preprocessingSchema,
  /** Of inputs.bin followed by labels.bin, hex. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});
export type DataSetManifest = z.infer<typeof manifestSchema>;

const elementOf: Readonly<Record<DataSetManifest['dtype'], ElementType>> = {
  uint8: 'u1',
  float32: 'f4',
  float64: 'f8',
};

function dtypeOf(values: RawValues): DataSetManifest['dtype'] {
  if (values instanceof Uint8Array) return 'uint8';
  return values instanceof Float32Array ? 'float32' : 'float64';
}

/**
 * Stores a data set in canonical form: `<prefix>/inputs.bin` (raw values, little-endian, item after item),
 * `<prefix>/labels.bin` (int32, little-endian) and, last, so that it describes what is there, `<prefix>/dataset.json`.
 */
export async function writeRecords(
  storage: Storage,
  prefix: string,
  dataset: DataSet,
  preprocessing: Preprocessing,
  name: string,
): Promise<DataSetManifest> {
  const inputs = littleEndianBytes(dataset.values);
  const labels = littleEndianBytes(dataset.labels);
  const manifest = manifestSchema.parse({
    version: 1,
    name,
    count: dataset.count,
    shape: dataset.shape,
    dtype: dtypeOf(dataset.values),
    preprocessing,
    sha256: hashOf(inputs, labels),
  });
  await storage.put(`${prefix}/inputs.bin`, inputs);
  await storage.put(`${prefix}/labels.bin`, labels);
  await storage.put(`${prefix}/dataset.json`, `${JSON.stringify(manifest, null, 2)}\n`);
  return manifest;
}

function hashOf(inputs: Uint8Array, labels: Uint8Array): string {
  return createHash('sha256').update(inputs).update(labels).digest('hex');
}

/** A data set in storage, read as far as needed. */
export interface Records {
  readonly manifest: DataSetManifest;
  /** All labels, [count]. */
  labels(): Promise<Int32Array>;
  /**
   * The raw values of some inputs, in the order asked for. Reads ranges, neighbours in one request. Throws RangeError for
   * an index that is not in the data set.
   */
  read(indices: ArrayLike<number>): Promise<RawValues[]>;
  /** The whole data set, with its hash checked: BadInputError where it differs from the manifest. */
  load(): Promise<DataSet>;
  /** The raw values of items `first` to `end` - 1, item after item, in requests of at most 8 MiB. */
  values(first: number, end: number): Promise<RawValues>;
  /** Reads everything, by ranges, and throws BadInputError where its hash differs from the manifest. */
  checkHash(): Promise<void>;
}

/** The manifest as JSON; throws MissingKeyError, and BadInputError for another text. */
async function readManifest(storage: Storage, prefix: string, subject: string): Promise<unknown> {
  const text = await getText(storage, `${prefix}/dataset.json`);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new BadInputError(subject, [`dataset.json is no JSON: ${messageOf(error)}`], { cause: error });
  }
}

/** A part of an object, empty where the object ends before it. */
async function rangeOf(storage: Storage, key: string, start: number, end: number): Promise<Uint8Array> {
  try {
    return await storage.getRange(key, start, end);
  } catch (error) {
    if (error instanceof RangeError) return new Uint8Array(0);
    throw error;
  }
}

/** Bytes of a request that reads everything. */
const partBytes = 8 * 1024 * 1024;

/** Range requests under way at the same time. */
const parallel = 8;

/**
 * Opens stored records; `instead` replaces what the manifest says of preprocessing, field by field. Throws MissingKeyError, or
 * BadInputError with all problems of the manifest.
 */
export async function openRecords(
  storage: Storage,
  prefix: string,
  instead: Partial<Preprocessing> = {},
): Promise<Records> {
  const subject = `data set ${prefix} in ${storage.location}`;
  const parsed = manifestSchema.safeParse(await readManifest(storage, prefix, subject));
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `dataset.json, ${issue.path.join('.')}: ${issue.message}`);
    throw new BadInputError(subject, problems);
  }
  const manifest = {
    ...parsed.data,
    preprocessing: preprocessingSchema.parse({ ...parsed.data.preprocessing, ...instead }),
  };
  const { count, shape, dtype } = manifest;
  const itemBytes = sizeOf(shape) * elementSize(elementOf[dtype]);

  const wholeFile = async (file: string, length: number): Promise<Uint8Array> => {
    const bytes = await storage.get(`${prefix}/${file}`);
    if (bytes.length === length) return bytes;
    throw new BadInputError(subject, [`${file} has ${bytes.length} bytes where dataset.json says ${length}`]);
  };
  const labelsOf = (bytes: Uint8Array) => Int32Array.from(decodeElements(bytes, 'i4', true));

  const changed = (): BadInputError =>
    new BadInputError(subject, ['its content differs from the hash in dataset.json: import it again']);
  /** Bytes from..to of inputs.bin in order, a few requests ahead. */
  async function* parts(from: number, to: number): AsyncGenerator<{ start: number; part: Uint8Array }> {
    const starts = Array.from({ length: Math.ceil((to - from) / partBytes) }, (_, i) => from + i * partBytes);
    for (let i = 0; i < starts.length; i += parallel) {
      const group = starts.slice(i, i + parallel);
      const read = await Promise.all(
        group.map((start) => rangeOf(storage, `${prefix}/inputs.bin`, start, Math.min(start + partBytes, to))),
      );
      for (const [k, part] of read.entries()) {
        const length = Math.min(partBytes, to - group[k]);
        if (part.length !== length)
          throw new BadInputError(subject, [`inputs.bin ends before byte ${group[k] + length}: import it again`]);
        yield { start: group[k], part };
      }
    }
  }

  return {
    manifest,
    labels: async () => labelsOf(await wholeFile('labels.bin', 4 * count)),
    async read(indices) {
      const items = new Map<number, RawValues>();
      const ranges = coalesce(indices, count, itemBytes);
      const readRange = async ({ first, end, wanted }: (typeof ranges)[number]) => {
        const length = (end - first) * itemBytes;
        const bytes = await rangeOf(storage, `${prefix}/inputs.bin`, first * itemBytes, end * itemBytes);
        if (bytes.length !== length) {
          throw new BadInputError(subject, [
            `inputs.bin ends inside input ${first + Math.floor(bytes.length / itemBytes)}`,
          ]);
        }
        for (const index of wanted) {
          const start = (index - first) * itemBytes;
          items.set(index, decodeElements(bytes.subarray(start, start + itemBytes), elementOf[dtype], true));
        }
      };
      for (let i = 0; i < ranges.length; i += parallel) await Promise.all(ranges.slice(i, i + parallel).map(readRange));
      return Array.from(indices, (index) => items.get(index)!);
    },
    async values(first, end) {
      const bytes = new Uint8Array((end - first) * itemBytes);
      for await (const { start, part } of parts(first * itemBytes, end * itemBytes)) {
        bytes.set(part, start - first * itemBytes);
      }
      return decodeElements(bytes, elementOf[dtype], true);
    },
    async checkHash() {
      const hash = createHash('sha256');
      for await (const { part } of parts(0, count * itemBytes)) hash.update(part);
      hash.update(await wholeFile('labels.bin', 4 * count));
      if (hash.digest('hex') !== manifest.sha256) throw changed();
    },
    async load() {
      const inputs = await wholeFile('inputs.bin', count * itemBytes);
      const labels = await wholeFile('labels.bin', 4 * count);
      if (hashOf(inputs, labels) !== manifest.sha256) {
        throw changed();
      }
      return { count, shape, values: decodeElements(inputs, elementOf[dtype], true), labels: labelsOf(labels) };
    },
  };
}
