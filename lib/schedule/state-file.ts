import { gunzipSync, gzipSync } from 'node:zlib';
import { z } from 'zod';
import { noUsage, usageSchema } from '../cost/usage';
import { BadInputError, messageOf } from '../errors';
import { posteriorSchema } from './bandit';
import { packIds, unpackIds } from './packed';
import { columns, type RunState } from './state';

/**
 * The snapshot of a run's state, `state/<round>.bin`: gzip of
 *   'BVST', the length of the header as uint32, the header (JSON, padded with spaces to a multiple of 8 bytes),
 *   then every column of `columns`, little-endian, each padded with zeros to a multiple of 8 bytes.
 */
const magic = 'BVST';

const headerSchema = z.strictObject({
  version: z.literal(1),
  inputs: z.int().positive(),
  epsilons: z.array(z.number()).min(1),
  maxAttempts: z.int().positive(),
  round: z.int().nonnegative(),
  cpuSeconds: z.number(),
  /** Absent in snapshots of earlier versions. */
  usage: usageSchema.default(noUsage),
  settlers: z.array(z.string()),
  /** The not-robust balls, packed, and the storage key of each one's witness. */
  witnesses: z.strictObject({ balls: z.string(), keys: z.array(z.string()) }),
  bandit: posteriorSchema,
});
type Header = z.infer<typeof headerSchema>;

/** The state as bytes: a few for each ball, at most 36 and the key of its witness. */
export function encodeState(state: RunState): Uint8Array {
  const { inputs, epsilons, maxAttempts, round, cpuSeconds, settlers, bandit, usage } = state;
  const found = [...state.witnesses].sort(([a], [b]) => a - b);
  const witnesses = { balls: packIds(found.map(([ball]) => ball)), keys: found.map(([, key]) => key) };
  const header: Header = {
    ...{ version: 1, inputs, epsilons: [...epsilons], maxAttempts, round, cpuSeconds, settlers },
    ...{ witnesses, bandit, usage },
  };
  const text = Buffer.from(JSON.stringify(header));
  const body = Buffer.alloc(8 + padded(text.length) + columnBytes(inputs * epsilons.length));
  body.write(magic, 'latin1');
  body.writeUInt32LE(padded(text.length), 4);
  body.fill(' ', 8, 8 + padded(text.length));
  text.copy(body, 8);
  let at = 8 + padded(text.length);
  for (const [name] of columns) {
    const column = state[name];
    body.set(new Uint8Array(column.buffer, column.byteOffset, column.byteLength), at);
    at += padded(column.byteLength);
  }
  return gzipSync(body, { level: 1 });
}

/** The state of `encodeState`. BadInputError when the bytes are not one. */
export function decodeState(bytes: Uint8Array): RunState {
  const body = unzipped(bytes);
  if (body.length < 8 || body.toString('latin1', 0, 4) !== magic) throw corrupt('it does not begin as one');
  const start = 8 + body.readUInt32LE(4);
  const { version: _, witnesses, ...header } = headerOf(body.toString('utf8', 8, start));
  const balls = header.inputs * header.epsilons.length;
  if (body.length !== start + columnBytes(balls)) {
    throw corrupt(`it holds ${body.length} bytes instead of ${start + columnBytes(balls)} for ${balls} balls`);
  }
  // A copy of its own: columns need aligned memory, and must not keep a larger pool alive.
  const memory = new Uint8Array(body.subarray(start)).buffer;
  let at = 0;
  const read = columns.map(([name, Column]) => {
    const column = new Column(memory, at, balls);
    at += padded(column.byteLength);
    return [name, column] as const;
  });
  const ids = unpackIds(witnesses.balls);
  if (ids.length !== witnesses.keys.length)
    throw corrupt(`${ids.length} balls have ${witnesses.keys.length} witnesses`);
  const byBall = new Map(witnesses.keys.map((key, i) => [ids[i], key]));
  type Columns = Pick<RunState, (typeof columns)[number][0]>;
  return { ...header, ...(Object.fromEntries(read) as unknown as Columns), witnesses: byBall };
}

function unzipped(bytes: Uint8Array): Buffer {
  try {
    return gunzipSync(bytes);
  } catch (error) {
    throw corrupt(messageOf(error), error);
  }
}

function headerOf(text: string): Header {
  try {
    return headerSchema.parse(JSON.parse(text));
  } catch (error) {
    throw corrupt(`its header cannot be read (${messageOf(error)})`, error);
  }
}

function corrupt(problem: string, cause?: unknown): BadInputError {
  return new BadInputError('run state', [`${problem}; restore the snapshot or start the run again`], { cause });
}

function columnBytes(balls: number): number {
  return columns.reduce((sum, [, Column]) => sum + padded(balls * Column.BYTES_PER_ELEMENT), 0);
}

/** The next multiple of 8. */
function padded(length: number): number {
  return Math.ceil(length / 8) * 8;
}
