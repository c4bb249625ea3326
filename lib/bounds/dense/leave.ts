import type * as ort from 'onnxruntime-node';
import { shapedTensor } from '../sessions';
import type { CompactLayer } from './compact';
import { keepLists } from './lists';

/** Balls that share calls, layer by layer as far as their bounds are known. */
export interface Group {
  readonly balls: readonly number[];
  readonly layers: CompactLayer[];
}

/**
 * The group without the balls that have left, in the same memory: what was the group's must not be used any more. None where all have
 * left. Sound: a ball's rows in the tables are its own, and keep their order.
 */
export function withoutBalls(group: Group, inside: (ball: number) => boolean): Group[] {
  const kept = [...group.balls.keys()].filter((place) => inside(group.balls[place]));
  if (kept.length === group.balls.length) return [group];
  if (kept.length === 0) return [];
  const balls = kept.map((place) => group.balls[place]);
  const places = group.balls.length;
  return [{ balls, layers: group.layers.map((layer) => keepPlaces(layer, kept, places)) }];
}

function keepPlaces(
  { alive, columns, scale, terms, feeds }: CompactLayer,
  kept: readonly number[],
  places: number,
): CompactLayer {
  return {
    alive: keepLists(alive, kept),
    columns,
    scale: moveTogether(scale, kept, places),
    terms,
    feeds: Object.fromEntries(Object.entries(feeds).map(([name, tensor]) => [name, keepRows(tensor, kept)])),
  };
}

function keepRows(tensor: ort.Tensor, kept: readonly number[]): ort.Tensor {
  const [places, ...rest] = tensor.dims;
  return shapedTensor(moveTogether(tensor.data as Float32Array, kept, places), [kept.length, ...rest]);
}

/** The kept ones of `places` equal parts of the array, moved to its front. @param kept ascending */
function moveTogether(array: Float32Array, kept: readonly number[], places: number): Float32Array {
  const part = array.length / places;
  for (let to = 0; to < kept.length; to++) {
    const from = kept[to];
    if (to !== from) array.copyWithin(to * part, from * part, (from + 1) * part);
  }
  return array.subarray(0, kept.length * part);
}
