import type * as ort from 'onnxruntime-node';
import type { Effort } from '../chunk';
import { type Session, shapedTensor } from '../sessions';
import type { CompactLayer, Feeds } from './compact';

/** Rows of one call; rough ones have fewer columns. */
const rowsPerCall: { readonly [effort in Effort]: number } = { rough: 1280, full: 640 };

/**
 * Lower bounds of G x R rows by emitChain's program, call by call: a group's balls one after the other, or rows of one ball.
 *
 * @param rows [G, R, columns]
 * @param others what else the program reads of the start, [G, ...] each
 * @param to [G, R], where the bounds are written
 */
export async function boundRows(
  session: Session,
  effort: Effort,
  below: readonly CompactLayer[],
  rows: ort.Tensor,
  others: Feeds,
  to: Float32Array,
): Promise<void> {
  const [groups, count, columns] = rows.dims;
  const feeds: Feeds = Object.assign({ rows }, others, ...below.map((layer) => layer.feeds));
  const most = rowsPerCall[effort];
  const perCall = Math.max(1, Math.floor(most / count));
  for (let first = 0; first < groups; first += perCall) {
    const balls = Math.min(perCall, groups - first);
    const part = balls === groups ? feeds : placesOf(feeds, first, balls);
    const bound = to.subarray(first * count, (first + balls) * count);
    if (balls > 1 || count <= most) {
      await session.run(part, { bound: shapedTensor(bound, [balls, count, 1]) });
      continue;
    }
    const own = part.rows.data as Float32Array;
    for (let row = 0; row < count; row += most) {
      const end = Math.min(count, row + most);
      const some = shapedTensor(own.subarray(row * columns, end * columns), [1, end - row, columns]);
      await session.run({ ...part, rows: some }, { bound: shapedTensor(bound.subarray(row, end), [1, end - row, 1]) });
    }
  }
}

/** The feeds of some balls in a row. */
function placesOf(feeds: Feeds, first: number, balls: number): Feeds {
  return Object.fromEntries(
    Object.entries(feeds).map(([name, tensor]) => {
      const [places, ...rest] = tensor.dims;
      const part = (tensor.data as Float32Array).length / places;
      const own = (tensor.data as Float32Array).subarray(first * part, (first + balls) * part);
      return [name, shapedTensor(own, [balls, ...rest])];
    }),
  );
}
