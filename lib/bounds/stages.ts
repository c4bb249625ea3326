import type { Box } from '../region/box';
import type { BallBounds, BoundQuery } from './bounder';
import type { Chunk, ChunkOptions } from './chunk';
import { chunkOf } from './chunk';
import type { DenseChain } from './dense/chain';
import { denseChunkOf } from './dense/chunk';
import { type Outlook, outlookOf } from './dense/outlook';
import type { Known } from './forward-pass';
import { keepOpenRows, openRows } from './output-rows';
import type { Programs } from './programs';
import type { Prospects } from './prospects';

/** The network as a dense chain, where its balls are bounded as one. */
function chainOf(programs: Programs): DenseChain | undefined {
  return programs.workspace()?.chain;
}

/** Dense chains have a faster way. */
export function openChunk(programs: Programs, boxes: readonly Box[], options: ChunkOptions): Chunk {
  const space = programs.workspace();
  return space ? denseChunkOf(programs, space, boxes, options) : chunkOf(programs, boxes, options);
}

/**
 * Bounds of queries in two stages: a rough pass over all balls, and a full one over those that it leaves open and that may still be proven. What
 * the rough pass has proven is not bounded again, and its bounds of neurons are where the full pass begins; so a row's bound is that of the pass
 * that decided it. Sound: each bound is proven by itself, and which pass a ball goes through only decides how tight its bounds are.
 *
 * @param queries at most `programs.ballsPerCall`
 */
export async function boundInStages(
  programs: Programs,
  prospects: Prospects,
  queries: readonly BoundQuery[],
): Promise<BallBounds[]> {
  const { found, open, known, weakest } = await boundRoughly(programs, prospects, queries);
  if (open.length > 0) {
    await refine(programs, queries, found, open, known);
    for (const { ball, row, value, bound, radius } of weakest)
      prospects.learn(radius, value - bound, value - found[ball][row]);
  }
  return found.map((rows) => ({ rows }));
}

/**
 * Whether a rough pass saves anything. Of a dense chain its form takes m products a row and neuron, instead of one per input; and there must be rows of more than one hidden layer
 * to save: with one, a full pass over all balls was faster (mnist-net_256x2 at 0.02: 5,700 against 5,200 balls per CPU-second).
 */
export function roughSaves(programs: Programs): boolean {
  const dense = chainOf(programs);
  return dense === undefined || (dense.layers.length > 3 && 2 * dense.layers[0].size <= dense.inputSize);
}

/** What a rough pass leaves: bounds of all rows, the balls that are to be bounded again, and what is known of these. */
interface Rough {
  readonly found: readonly Float64Array[];
  readonly open: readonly number[];
  readonly known: Known;
  /** Of each open ball of a dense chain the row that is farthest from proof. */
  readonly weakest: readonly OpenRow[];
}

interface OpenRow {
  readonly ball: number;
  readonly row: number;
  /** At the centre of the ball. */
  readonly value: number;
  /** Of the rough pass, not positive. */
  readonly bound: number;
  /** Largest one of the ball's inputs. */
  readonly radius: number;
}

async function boundRoughly(programs: Programs, prospects: Prospects, queries: readonly BoundQuery[]): Promise<Rough> {
  const boxes = queries.map(({ box }) => box);
  const chunk = openChunk(programs, boxes, { effort: 'rough', keepBounds: false });
  try {
    const rows = queries.map((query) => query.rows);
    // Of other networks interval steps alone say nothing about what rows would bring.
    const outlook = chainOf(programs) && (await outlookOf(programs, chunk, rows));
    const left = new Uint8Array(queries.length);
    await chunk.propagate(
      outlook && (async (relu, bounds) => outlook.judge(programs.relus.indexOf(relu), bounds, left)),
      left,
    );
    const found = await chunk.boundOutputs(rows);
    const unproven = [...queries.keys()].filter((ball) => left[ball] === 0 && !found[ball].every((bound) => bound > 0));
    const { inputSize } = programs.network;
    const hopeful = unproven
      .map((ball) => ({
        ball,
        weakest: outlook && weakestRow(queries[ball], found[ball], outlook, chunk, inputSize, ball),
      }))
      .filter(({ weakest }) => weakest === undefined || prospects.mayProve(weakest.radius, lostOf(weakest)));
    const open = hopeful.map(({ ball }) => ball);
    // Balls with as many rows go together.
    const missing = (ball: number): number => found[ball].reduce((count, bound) => count + (bound > 0 ? 0 : 1), 0);
    open.sort((a, b) => missing(a) - missing(b));
    return { found, open, known: chunk.known(open), weakest: hopeful.flatMap(({ weakest }) => weakest ?? []) };
  } finally {
    chunk.release();
  }
}

/** Bounds again, fully, the rows of the open balls that are not proven; writes them to `found`. */
async function refine(
  programs: Programs,
  queries: readonly BoundQuery[],
  found: readonly Float64Array[],
  open: readonly number[],
  known: Known,
): Promise<void> {
  const parts = open.map((ball) => queries[ball]);
  const full = openChunk(
    programs,
    parts.map(({ box }) => box),
    { effort: 'full', known, keepBounds: false },
  );
  try {
    await full.propagate();
    const rows = openRows(
      parts.map((query) => query.rows),
      open.map((ball) => found[ball]),
    );
    const better = await full.boundOutputs(rows);
    for (const [b, ball] of open.entries()) keepOpenRows(found[ball], better[b]);
  } finally {
    full.release();
  }
}

/** The row that is farthest from proof, of those that a rough pass over a dense chain leaves open; undefined where it overflowed, as a full pass may not. */
function weakestRow(
  { rows }: BoundQuery,
  found: Float64Array,
  outlook: Outlook,
  { input }: Chunk,
  size: number,
  ball: number,
): OpenRow | undefined {
  let radius = 0;
  for (let i = ball * size; i < (ball + 1) * size; i++) if (input.radius[i] > radius) radius = input.radius[i];
  let weakest: OpenRow | undefined;
  for (const [row, functional] of rows.entries()) {
    const bound = found[row];
    if (bound > 0) continue;
    if (!Number.isFinite(bound)) return undefined;
    const value = outlook.atCentre(ball, functional);
    if (weakest === undefined || lostOf({ value, bound }) > lostOf(weakest))
      weakest = { ball, row, value, bound, radius };
  }
  return weakest;
}

/** What a row loses between its value at the centre and its bound, in units of that value. */
function lostOf({ value, bound }: Pick<OpenRow, 'value' | 'bound'>): number {
  return value > 0 ? (value - bound) / value : Number.POSITIVE_INFINITY;
}
