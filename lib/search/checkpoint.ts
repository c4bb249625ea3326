import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { z } from 'zod';
import type { Box } from '../region/box';
import type { HalfSpace } from '../region/violation';

/**
 * What a search that ran out of time or memory has not proven: parts of the ball, each with the functionals that are open there. Everything else is
 * proven, so an entry that gets lost would be a wrong `robust`: entries are counted and hashed, and a checkpoint that is damaged, or of another
 * question, is refused.
 */
export interface Checkpoint {
  readonly regions: readonly OpenRegion[];
  /** Smallest bound of what is proven, where anything is. */
  readonly proven?: number;
}

/** A region of lib/search/regions.ts. */
export interface OpenRegion {
  /** Signs that are assumed there. */
  readonly assumed: readonly (readonly [layer: number, neuron: number, sign: 1 | -1])[];
  /** Functionals that are not proven there. */
  readonly rows: readonly number[];
  /** Their lower bound, where one is known. */
  readonly margin?: number;
  /** How hard it is to be tried next: which of the search's levels. */
  readonly level: number;
  /** Its tree goes on without a limit: tighter bounds were tried, and did not help. */
  readonly splitsOnly?: boolean;
  /** The open leaves of its tree, which cover what is not proven of it; absent where its tree has not been begun. */
  readonly leaves?: readonly OpenLeaf[];
}

export interface OpenLeaf {
  /** The functional. */
  readonly row: number;
  /** What holds there besides the region's assumptions: sign * (z - at) >= 0 of a neuron. */
  readonly cuts: readonly (readonly [layer: number, neuron: number, sign: 1 | -1, at: number])[];
}

/** What a checkpoint is about: it says nothing on any other question, model or engine. */
export interface CheckpointSubject {
  /** SHA-256 of the model. */
  readonly model: string;
  /** What decides verdicts: engineVersion. */
  readonly engine: string;
  /** Of `questionHash`. */
  readonly question: string;
  /** Number of functionals. */
  readonly rows: number;
}

/** More leaves than this are not written down: their regions start anew. */
const mostLeaves = 20_000;
/** Of the body, unpacked. */
const mostBytes = 64 * 2 ** 20;

const sign = z.union([z.literal(1), z.literal(-1)]);
const index = z.int().nonnegative();
const bodySchema = z.strictObject({
  version: z.literal(1),
  subject: z.strictObject({ model: z.string(), engine: z.string(), question: z.string(), rows: index }),
  /** How many regions, and leaves of all of them, there are. */
  count: z.tuple([index, index]),
  proven: z.number().optional(),
  regions: z
    .array(
      z.strictObject({
        assumed: z.array(z.tuple([index, index, sign])),
        rows: z.array(index).min(1),
        margin: z.number().optional(),
        level: index,
        splitsOnly: z.boolean().optional(),
        leaves: z
          .array(z.strictObject({ row: index, cuts: z.array(z.tuple([index, index, sign, z.number()])) }))
          .min(1)
          .optional(),
      }),
    )
    .min(1),
});
const envelopeSchema = z.strictObject({ sha256: z.string(), body: z.string() });

/** Identity of what is asked: the exact bounds of the box and the functionals, SHA-256 in hexadecimal. */
export function questionHash(box: Box, rows: readonly HalfSpace[]): string {
  const hash = createHash('sha256');
  const numbers = (values: Float64Array): void => {
    hash.update(Float64Array.of(values.length));
    hash.update(values);
  };
  numbers(box.lower);
  numbers(box.upper);
  for (const { coefficients, offset } of rows) {
    numbers(coefficients);
    numbers(Float64Array.of(offset));
  }
  return hash.digest('hex');
}

/** gzip of JSON: the body as text, and its SHA-256. */
export function encodeCheckpoint(subject: CheckpointSubject, { regions, proven }: Checkpoint): Uint8Array {
  const isLarge = leavesOf(regions) > mostLeaves;
  const kept = isLarge ? regions.map(({ leaves: _, ...region }) => region) : regions;
  const count: [number, number] = [kept.length, leavesOf(kept)];
  const body = JSON.stringify({ version: 1, subject, count, ...(proven !== undefined && { proven }), regions: kept });
  return gzipSync(JSON.stringify({ sha256: sha256(body), body }));
}

/** The checkpoint, or why it does not count: the search starts anew then. */
export function decodeCheckpoint(
  bytes: Uint8Array,
  subject: CheckpointSubject,
):
  | { readonly kind: 'accepted'; readonly checkpoint: Checkpoint }
  | { readonly kind: 'refused'; readonly why: 'damaged' | 'foreign' } {
  const body = parsed(bytes);
  if (body === undefined) return { kind: 'refused', why: 'damaged' };
  const keys = ['model', 'engine', 'question', 'rows'] as const;
  if (keys.some((key) => body.subject[key] !== subject[key])) return { kind: 'refused', why: 'foreign' };
  const { regions, proven } = body;
  return { kind: 'accepted', checkpoint: { regions, ...(proven !== undefined && { proven }) } };
}

function parsed(bytes: Uint8Array): z.infer<typeof bodySchema> | undefined {
  try {
    const text = gunzipSync(bytes, { maxOutputLength: mostBytes }).toString('utf8');
    const { sha256: expected, body } = envelopeSchema.parse(JSON.parse(text));
    if (sha256(body) !== expected) return undefined;
    const content = bodySchema.parse(JSON.parse(body));
    const { count, regions, subject } = content;
    const isWhole = count[0] === regions.length && count[1] === leavesOf(regions);
    const isKnown = (row: number): boolean => row < subject.rows;
    const fits = regions.every(
      ({ rows, leaves = [] }) => rows.every(isKnown) && leaves.every(({ row }) => rows.includes(row)),
    );
    return isWhole && fits ? content : undefined;
  } catch {
    return undefined;
  }
}

function leavesOf(regions: readonly OpenRegion[]): number {
  return regions.reduce((sum, { leaves }) => sum + (leaves?.length ?? 0), 0);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
