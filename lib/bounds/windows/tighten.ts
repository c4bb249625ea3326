import type * as ort from 'onnxruntime-node';
import type { NodeId } from '../../network/network';
import { roundDown, roundUp } from '../../region/outward';
import type { Buffers } from '../buffers';
import type { ForwardPass, NodeBounds } from '../forward-pass';
import { errorInflation } from '../relaxation';
import { underflowUnit } from '../rounding';
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

/** A table of the program: [balls, size] of its layer, unfolded over a window. */
interface Unfolding {
  readonly name: string;
  readonly from: Float32Array;
  /** Of the layer. */
  readonly size: number;
  readonly window: Window;
  readonly to: Float32Array;
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
 * @param tableBytes size of the unfolded tables of one call
 * @param left [balls], 1 for balls that need no further bounds
 */
export async function tightenByWindows(
  session: Session,
  windows: Windows,
  { lines, centre, radius }: BelowTables,
  bounds: NodeBounds,
  pass: ForwardPass,
  tableBytes: number,
  buffers: Buffers,
  left?: Uint8Array,
): Promise<void> {
  const { positions, below, input, layer } = windows;
  const { size } = layer.conv;
  const { lower, upper } = bounds;
  const columns = below.reduce((sum, { window }) => sum + 4 * window.size, 2 * input.size);
  const most = Math.max(positions, Math.floor(tableBytes / (4 * columns)));
  const unfolding = (name: string, from: Float32Array, window: Window, of: number): Unfolding => {
    return { name, from, size: of, window, to: buffers.take(most * window.size) };
  };
  const tables = below.flatMap(({ layer: { relu, conv }, window }) => {
    const own = lines.get(relu)!;
    return (['ls', 'us', 'lc', 'uc'] as const).map((kind) => unfolding(`${kind}${relu}`, own[kind], window, conv.size));
  });
  const pixels = radius.length / pass.balls;
  tables.push(unfolding('centre', centre, input, pixels), unfolding('radius', radius, input, pixels));

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
    for (const { name, to, window } of tables) feeds[name] = floatTensor(to.subarray(0, places * window.size), places);
    const rows = { neuron, ball, place };
    count = await tightenSide(session, windows, feeds, rows, count, -1, bounds, pass);
    await tightenSide(session, windows, feeds, rows, count, 1, bounds, pass);
  }
  for (const { to } of tables) buffers.give(to);
}

/** Writes one place of a table. */
function unfold({ from, size, window, to }: Unfolding, ball: number, position: number, place: number): void {
  const { index } = window;
  const read = position * window.size;
  const write = place * window.size;
  const start = ball * size;
  for (let i = 0; i < window.size; i++) {
    const at = index[read + i];
    to[write + i] = at < 0 ? 0 : from[start + at];
  }
}

/** One side's bounds; moves the rows that are still unstable to the front and returns how many. */
async function tightenSide(
  session: Session,
  { layer: { conv }, positions, below, input }: Windows,
  feeds: { readonly [name: string]: ort.Tensor },
  { neuron, ball, place }: Rows,
  count: number,
  side: 1 | -1,
  { lower, upper, error }: NodeBounds,
  pass: ForwardPass,
): Promise<number> {
  if (count === 0) return 0;
  const row = new Int32Array(count);
  const signed = side === 1 ? 0 : conv.outShape[0];
  for (let k = 0; k < count; k++) row[k] = ((neuron[k] / positions) | 0) + signed;
  const { bound } = await session.run({
    ...feeds,
    row: indexTensor(row),
    place: indexTensor(place.subarray(0, count)),
  });
  // Coefficients that underflow are in the pass's share; these are terms of the constant and of the reach.
  const terms = below.reduce((sum, { window }) => sum + 4 * window.size, 4 * input.size);
  let left = 0;
  for (let k = 0; k < count; k++) {
    const i = ball[k] * conv.size + neuron[k];
    const slack = error[i] * errorInflation + pass.underflow(ball[k]) + terms * underflowUnit;
    const proven = bound[k] + side * conv.bias[(neuron[k] / positions) | 0] - slack;
    // Comparisons with NaN are false: then the interval step's bound stays.
    if (side === 1) {
      const below = roundDown(proven);
      if (below > lower[i]) lower[i] = below;
    } else {
      const above = roundUp(-proven);
      if (above < upper[i]) upper[i] = above;
    }
    if (!(lower[i] < 0 && upper[i] > 0)) continue;
    neuron[left] = neuron[k];
    ball[left] = ball[k];
    place[left++] = place[k];
  }
  return left;
}
