import type { Network, NodeId } from '../network/network';
import type { Box } from '../region/box';
import type { HalfSpace } from '../region/violation';
import type { Chunk } from './chunk';
import { nothingProven } from './output-rows';
import { type Programs, programsOf } from './programs';
import { createProspects } from './prospects';
import type { Observer } from './sessions';
import { boundInStages, openChunk, roughSaves } from './stages';

/** Asks for lower bounds of linear functionals of the outputs over one box. */
export interface BoundQuery {
  readonly box: Box;
  readonly rows: readonly HalfSpace[];
}

/** What is known of one ball after a backward pass. */
export interface BallBounds {
  /**
   * Proven lower bound of coefficients . y + offset per row of the query, in real arithmetic and with all rounding errors
   * subtracted; -Infinity where nothing finite could be proven (overflow).
   */
  readonly rows: Float64Array;
  /** Let go by a visitor after some layer: its rows were not bounded, and are -Infinity. */
  readonly left?: true;
}

/** Bounds of what one ReLU reads, of balls that go through the bounds together; final, and proven with all rounding errors. */
export interface LayerBounds {
  readonly relu: NodeId;
  /** Row r of the tables is of query `first + r`. */
  readonly first: number;
  readonly balls: number;
  /** [balls, size]; after a ball has left, they still hold, but are looser. Not to be changed. */
  readonly lower: Float32Array;
  readonly upper: Float32Array;
  /** [balls], 1 for those that have left. The visitor sets it for balls that need no further bounds. */
  readonly left: Uint8Array;
}

/** Asked after each ReLU layer, in topological order. What it proves about the balls that it lets go is its own affair. */
export type LayerVisitor = (layer: LayerBounds) => Promise<void>;

export interface BoundOptions {
  /** Cap on the memory of one call's tables and tiles, in bytes; decides how many balls go through together. */
  readonly memoryBytes?: number;
  /** Size of one tile of coefficients, in bytes: about the second-level cache of a core. */
  readonly tileBytes?: number;
  /** Intra-op threads of ONNX Runtime. */
  readonly threads?: number;
  readonly observe?: Observer;
  /** Whether `bound` may begin with a rough pass, see stages.ts; true unless told. Without it all rows get the bounds of a full pass. */
  readonly stages?: boolean;
}

/** Bounds of what one ReLU reads on one ball, [size]; arrays of their own. */
export interface NeuronBounds {
  readonly lower: Float32Array;
  readonly upper: Float32Array;
}

/** Computes bounds over boxes for one network; sound, not complete. */
export interface Bounder {
  /**
   * CROWN (Zhang et al. 2018) with intermediate bounds by the same backward program, computed only for the neurons that an interval
   * step leaves unstable; in two stages where that saves work and nobody visits (stages.ts). Queries are independent: one answer each, in order, the same as if asked alone (to rounding).
   *
   * @param visit may let balls go after a layer, which saves the rest of their bounds
   */
  bound(queries: readonly BoundQuery[], visit?: LayerVisitor): Promise<BallBounds[]>;
  /** Pre-activation bounds of one ball by the same method, in full, per ReLU node in topological order, [size] each. */
  preActivations(box: Box): Promise<NeuronBounds[]>;
  /** The same of several balls, at most `programs.ballsPerCall`, which go through the bounds together. */
  preActivationsOf(boxes: readonly Box[]): Promise<NeuronBounds[][]>;
  readonly programs: Programs;
  release(): Promise<void>;
}

export const defaultMemoryBytes = 512 * 2 ** 20;
export const defaultTileBytes = 512 * 2 ** 10;

export function createBounder(network: Network, options: BoundOptions = {}): Bounder {
  const { memoryBytes = defaultMemoryBytes, tileBytes = defaultTileBytes, threads = 1, stages = true } = options;
  const programs = programsOf(network, { threads, tileBytes, memoryBytes, observe: options.observe });
  const staged = stages && roughSaves(programs);
  const prospects = createProspects();
  return {
    programs,
    async bound(queries, visit) {
      const results: BallBounds[] = [];
      for (let start = 0; start < queries.length; start += programs.ballsPerCall) {
        const part = queries.slice(start, start + programs.ballsPerCall);
        results.push(
          ...(await (visit === undefined && staged
            ? boundInStages(programs, prospects, part)
            : boundTogether(programs, part, start, visit))),
        );
      }
      return results;
    },
    async preActivations(box) {
      const [own] = await neuronBounds(programs, [box]);
      return own;
    },
    preActivationsOf: (boxes) => neuronBounds(programs, boxes),
    release: () => programs.release(),
  };
}

async function neuronBounds(programs: Programs, boxes: readonly Box[]): Promise<NeuronBounds[][]> {
  const { network, relus } = programs;
  const chunk = openChunk(programs, boxes, { effort: 'full', keepBounds: false });
  try {
    await chunk.propagate();
    return boxes.map((_, ball) =>
      relus.map((relu) => {
        const { lower, upper } = chunk.preActivation(relu);
        const { size } = network.nodes[relu];
        const [start, end] = [ball * size, (ball + 1) * size];
        return { lower: lower.slice(start, end), upper: upper.slice(start, end) };
      }),
    );
  } finally {
    chunk.release();
  }
}

async function boundTogether(
  programs: Programs,
  queries: readonly BoundQuery[],
  first: number,
  visit: LayerVisitor | undefined,
): Promise<BallBounds[]> {
  const chunk = openChunk(
    programs,
    queries.map(({ box }) => box),
    // A visitor may keep what it is shown.
    { effort: 'full', keepBounds: visit !== undefined },
  );
  try {
    const left = new Uint8Array(queries.length);
    await chunk.propagate(
      visit && ((relu, bounds) => visit({ relu, first, balls: queries.length, left, ...bounds })),
      left,
    );
    return await outputRows(chunk, queries, left);
  } finally {
    chunk.release();
  }
}

async function outputRows(chunk: Chunk, queries: readonly BoundQuery[], left: Uint8Array): Promise<BallBounds[]> {
  const rows = queries.map((query, ball) => (left[ball] === 1 ? [] : query.rows));
  const bounds = rows.every((own) => own.length === 0) ? nothingProven(rows) : await chunk.boundOutputs(rows);
  return queries.map((query, ball) =>
    left[ball] === 1
      ? { rows: new Float64Array(query.rows.length).fill(Number.NEGATIVE_INFINITY), left: true }
      : { rows: bounds[ball] },
  );
}
