import type * as ort from 'onnxruntime-node';
import type { NodeId } from '../../network/network';
import type { Buffers } from '../buffers';
import type { ForwardPass, NodeBounds } from '../forward-pass';
import { errorInflation } from '../relaxation';
import { underflowUnit } from '../rounding';
import { keepRowBound } from '../row-bound';
import { floatTensor, indexTensor, type Session } from '../sessions';
import type { Window, Windows } from './geometry';
import type { LayerLines } from './lines';

/** What is known below the layer that is bounded. */
export interface BelowTables {
  /** By ReLU. */
  readonly lines: ReadonlyMap<NodeId, LayerLines>;
  /** [balls, inputSize]; the radius with room for the roundings of the dot product with both. */
  readonly centre: Float32Array;
  readonly radius: Float32Array;
}

/** Two tables of the program: [balls, size] of their layer, unfolded over a window. */
interface Unfolding {
  readonly names: readonly [string, string];
  readonly from: readonly [Float32Array, Float32Array];
  /** Of the layer. */
  readonly size: number;
  readonly window: Window;
  readonly to: readonly [Float32Array, Float32Array];
}

/** Neurons that are unstable so far, by ball of the chunk, neuron and row of the tables. */
interface Rows {
  readonly neuron: Int32Array;
  readonly ball: Int32Array;
  readonly place: Int32Array;
}

/**
 * Bounds the unstable neurons of a convolution in coordinates of their windows, and keeps the better of both bounds: upper bounds first, then lower
 * bounds of those that are still unstable.
 *
 * @param tileBytes of the unfolded tables of one call, at least those of one ball; and of a tile of coefficients
 * @param left [balls], 1 for balls that need no further bounds
 */
export async function tightenByWindows(
  session: Session,
  windows: Windows,
  { lines, centre, radius }: BelowTables,
  bounds: NodeBounds,
  pass: ForwardPass,
  tileBytes: number,
  buffers: Buffers,
  left?: Uint8Array,
): Promise<void> {
  const { positions, below, input, layer } = windows;
  const { size } = layer.conv;
  const { lower, upper } = bounds;
  const columns = below.reduce((sum, { window }) => sum + 4 * window.size, 2 * input.size);
  const most = Math.max(positions, Math.floor(tileBytes / (4 * columns)));
  const unfolding = (names: Unfolding['names'], from: Unfolding['from'], window: Window, of: number): Unfolding => {
    const buffer = (): Float32Array => buffers.take(most * window.size);
    return { names, from, size: of, window, to: [buffer(), buffer()] };
  };
  const tables = below.flatMap(({ layer: { relu, conv }, window }) => {
    const { ls, us, lc, uc } = lines.get(relu)!;
    return [
      unfolding([`ls${relu}`, `us${relu}`], [ls, us], window, conv.size),
      unfolding([`lc${relu}`, `uc${relu}`], [lc, uc], window, conv.size),
    ];
  });
  tables.push(unfolding(['centre', 'radius'], [centre, radius], input, radius.length / pass.balls));

  const placeOf = new Int32Array(positions);
  const neuron = new Int32Array(most * layer.conv.outShape[0]);
  const ball = new Int32Array(neuron.length);
  const place = new Int32Array(neuron.length);
  for (let b = 0; b < pass.balls; ) {
    let places = 0;
    let count = 0;
    for (; b < pass.balls && places + positions <= most; b++) {
      if (left?.[b] === 1) continue;
      placeOf.fill(-1);
      for (let j = 0, i = b * size; j < size; j++, i++) {
        if (!(lower[i] < 0 && upper[i] > 0)) continue;
        const position = j % positions;
        if (placeOf[position] < 0) {
          for (const table of tables) unfold(table, b, position, places);
          placeOf[position] = places++;
        }
        neuron[count] = j;
        ball[count] = b;
        place[count++] = placeOf[position];
      }
    }
    if (count === 0) break;
    const feeds: { [name: string]: ort.Tensor } = {};
    for (const { names, to, window } of tables) {
      for (const k of [0, 1]) feeds[names[k]] = floatTensor(to[k].subarray(0, places * window.size), places);
    }
    const rows = { neuron, ball, place };
    count = await tightenSide(session, windows, feeds, rows, count, -1, bounds, pass, tileBytes);
    await tightenSide(session, windows, feeds, rows, count, 1, bounds, pass, tileBytes);
  }
  for (const table of tables.flatMap(({ to }) => to)) buffers.give(table);
}

/** Writes one place of two tables. */
function unfold({ from, size, window, to }: Unfolding, ball: number, position: number, place: number): void {
  const { index } = window;
  const [fromA, fromB] = from;
  const [toA, toB] = to;
  const start = ball * size;
  const end = (place + 1) * window.size;
  for (let read = position * window.size, write = place * window.size; write < end; read++, write++) {
    const at = index[read];
    if (at < 0) {
      toA[write] = toB[write] = 0;
    } else {
      toA[write] = fromA[start + at];
      toB[write] = fromB[start + at];
    }
  }
}

/** One side's bounds, tile by tile; moves the rows that are still unstable to the front and returns how many. */
async function tightenSide(
  session: Session,
  { layer: { conv }, positions, below, input }: Windows,
  feeds: { readonly [name: string]: ort.Tensor },
  { neuron, ball, place }: Rows,
  count: number,
  side: 1 | -1,
  found: NodeBounds,
  pass: ForwardPass,
  tileBytes: number,
): Promise<number> {
  const signed = side === 1 ? 0 : conv.outShape[0];
  // Coefficients that underflow are in the pass's share; these are terms of the constant and of the reach.
  const { lower, upper, error } = found;
  const terms = below.reduce((sum, { window }) => sum + 4 * window.size, 4 * input.size);
  const widest = below.reduce((most, { window }) => Math.max(most, window.size), input.size);
  const perCall = Math.max(16, Math.floor(tileBytes / (4 * widest)));
  let left = 0;
  for (let start = 0; start < count; start += perCall) {
    const rows = Math.min(perCall, count - start);
    const row = new Int32Array(rows);
    for (let k = 0; k < rows; k++) row[k] = ((neuron[start + k] / positions) | 0) + signed;
    const { bound } = await session.run({
      ...feeds,
      row: indexTensor(row),
      place: indexTensor(place.subarray(start, start + rows)),
    });
    for (let r = 0; r < rows; r++) {
      const k = start + r;
      const i = ball[k] * conv.size + neuron[k];
      const slack = error[i] * errorInflation + pass.underflow(ball[k]) + terms * underflowUnit;
      const proven = bound[r] + side * conv.bias[(neuron[k] / positions) | 0] - slack;
      keepRowBound(found, i, side, proven);
      if (!(lower[i] < 0 && upper[i] > 0)) continue;
      neuron[left] = neuron[k];
      ball[left] = ball[k];
      place[left++] = place[k];
    }
  }
  return left;
}
