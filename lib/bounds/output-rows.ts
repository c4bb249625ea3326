import type * as ort from 'onnxruntime-node';
import type { NodeId } from '../network/network';
import type { HalfSpace } from '../region/violation';
import type { Programs } from './programs';
import { errorInflation } from './relaxation';
import { type Run, runsOf } from './rows';
import { floatTensor, indexTensor } from './sessions';
import { feedsOf, type Tables } from './tables';

/** Functionals of the outputs over each ball of a chunk; none for balls that are not asked about. */
export type OutputRows = readonly (readonly HalfSpace[])[];

/** Nothing proven of any row. */
export function nothingProven(rows: OutputRows): Float64Array[] {
  // Views of one array: small arrays of their own keep the garbage collector busy.
  const all = new Float64Array(rows.reduce((sum, own) => sum + own.length, 0)).fill(Number.NEGATIVE_INFINITY);
  let at = 0;
  return rows.map((own) => {
    at += own.length;
    return all.subarray(at - own.length, at);
  });
}

/** Rows that are not proven yet. @param found their bounds */
export function openRows(rows: OutputRows, found: readonly Float64Array[]): OutputRows {
  return rows.map((own, ball) => own.filter((_, r) => !(found[ball][r] > 0)));
}

/** Keeps the better bounds of the `openRows` of a ball. */
export function keepOpenRows(found: Float64Array, better: Float64Array): void {
  let at = 0;
  for (let r = 0; r < found.length; r++) if (!(found[r] > 0)) found[r] = Math.max(found[r], better[at++]);
}

/** What rows of the outputs meet on their way. */
export interface OutputWay {
  /** The node where they end, and the tables of all before. */
  readonly stop: NodeId;
  readonly tables: Tables;
  /** The balls of the tables' rows. */
  readonly order: readonly number[];
  /** [balls, classes], error weights of the outputs. */
  readonly error: Float32Array;
  /** Absolute slack of every row of a ball. */
  underflow(ball: number): number;
}

/** Lower bounds of functionals of the outputs, all errors subtracted; -Infinity for balls that are not in `order`. */
export async function boundOutputRows(
  programs: Programs,
  rows: OutputRows,
  { stop, tables, order, error, underflow }: OutputWay,
): Promise<Float64Array[]> {
  const { classes, output } = programs.network;
  const session = await programs.backward(output, 'free', stop);
  const names = programs.tableNames(output, stop);
  const results = nothingProven(rows);
  const counts = order.map((ball) => rows[ball].length);
  for (const run of runsOf(counts, programs.rowsPerCall(output, stop))) {
    const coefficients = new Float32Array(run.balls * run.rows * classes);
    const rowsOf = (b: number): readonly HalfSpace[] => rows[order[run.first + b]];
    const ownRows = (b: number): number => Math.min(run.rows, rowsOf(b).length - run.from);
    for (let b = 0; b < run.balls; b++) {
      for (let r = 0; r < ownRows(b); r++) {
        const values = rowsOf(b)[run.from + r].coefficients;
        for (let c = 0, at = (b * run.rows + r) * classes; c < classes; c++) coefficients[at + c] = values[c];
      }
    }
    const feeds = feedsOf(tables, names, run.first, run.balls);
    const { bound } = await session.run({
      ...feeds,
      groups: groupsTensor(run),
      coefficients: floatTensor(coefficients, run.balls * run.rows),
    });
    for (let b = 0; b < run.balls; b++) {
      const ball = order[run.first + b];
      const start = ball * classes;
      const lost = underflow(ball);
      for (let r = 0; r < ownRows(b); r++) {
        const { coefficients: weights, offset } = rowsOf(b)[run.from + r];
        let slack = lost;
        // Coefficients that float32 cannot hold are off by a unit roundoff; the error weight holds many of them.
        for (let c = 0; c < classes; c++) slack += Math.abs(weights[c]) * error[start + c] * errorInflation;
        const value = bound[b * run.rows + r] + offset - slack - Math.abs(offset) * 2 ** -50;
        if (Number.isFinite(value)) results[ball][run.from + r] = value;
      }
    }
  }
  return results;
}

export function groupsTensor({ balls, rows }: Run): ort.Tensor {
  return indexTensor(Int32Array.of(balls, rows));
}
