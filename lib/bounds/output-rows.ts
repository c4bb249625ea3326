import type * as ort from 'onnxruntime-node';
import type { NodeId } from '../network/network';
import type { HalfSpace } from '../region/violation';
import type { Programs } from './programs';
import { errorInflation } from './relaxation';
import { type Run, runsOf } from './rows';
import { floatTensor, indexTensor } from './sessions';
import { feedsOf, type Tables } from './tables';

/** One row to bound: a functional of the outputs over one ball of the chunk. */
export interface OutputRow {
  readonly ball: number;
  readonly row: HalfSpace;
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
  rows: readonly OutputRow[],
  { stop, tables, order, error, underflow }: OutputWay,
): Promise<Float64Array> {
  const { classes, output } = programs.network;
  const session = await programs.backward(output, 'free', stop);
  const names = programs.tableNames(output, stop);
  const result = new Float64Array(rows.length).fill(Number.NEGATIVE_INFINITY);
  const ofBall = rowsByBall(rows, error.length / classes);
  const lists = order.map((ball) => ofBall[ball]);
  const counts = lists.map((list) => list.length);
  for (const run of runsOf(counts, programs.rowsPerCall(output, stop))) {
    const coefficients = new Float32Array(run.balls * run.rows * classes);
    const part = lists.slice(run.first, run.first + run.balls).map((list) => list.slice(run.from, run.from + run.rows));
    for (const [b, list] of part.entries()) {
      for (let r = 0; r < list.length; r++) {
        const values = rows[list[r]].row.coefficients;
        for (let c = 0, at = (b * run.rows + r) * classes; c < classes; c++) coefficients[at + c] = values[c];
      }
    }
    const feeds = feedsOf(tables, names, run.first, run.balls);
    const { bound } = await session.run({
      ...feeds,
      groups: groupsTensor(run),
      coefficients: floatTensor(coefficients, run.balls * run.rows),
    });
    for (const [b, list] of part.entries()) {
      const ball = order[run.first + b];
      const start = ball * classes;
      const lost = underflow(ball);
      for (let r = 0; r < list.length; r++) {
        const { coefficients: weights, offset } = rows[list[r]].row;
        let slack = lost;
        // Coefficients that float32 cannot hold are off by a unit roundoff; the error weight holds many of them.
        for (let c = 0; c < classes; c++) slack += Math.abs(weights[c]) * error[start + c] * errorInflation;
        const value = bound[b * run.rows + r] + offset - slack - Math.abs(offset) * 2 ** -50;
        result[list[r]] = Number.isFinite(value) ? value : Number.NEGATIVE_INFINITY;
      }
    }
  }
  return result;
}

export function groupsTensor({ balls, rows }: Run): ort.Tensor {
  return indexTensor(Int32Array.of(balls, rows));
}

/** Indices of each ball's rows. */
export function rowsByBall(rows: readonly OutputRow[], balls: number): number[][] {
  const lists: number[][] = Array.from({ length: balls }, () => []);
  for (const [r, { ball }] of rows.entries()) lists[ball].push(r);
  return lists;
}
