import type { Emitter } from '../emitter';
import type { NodeId, Shape } from '../network';
import { elements, refuse, type VariableTensor } from '../values';

/** Part of a tensor under assembly: value i comes from position index[i] of the source; -1 leaves it to other parts. */
export interface Part {
  readonly source: VariableTensor;
  readonly index: Int32Array;
}

/**
 * A tensor whose values come from several others, each from at most one of them: the sum of one select per source. A
 * bias gives the values that come from none.
 */
export function collect(emit: Emitter, shape: Shape, parts: readonly Part[], bias?: Float64Array): VariableTensor {
  const merged = new Map<NodeId, Part>();
  for (const { source, index } of parts) {
    const before = merged.get(source.node);
    const both = before ? index.map((position, i) => (position < 0 ? before.index[i] : position)) : index;
    merged.set(source.node, { source, index: both });
  }
  const selects = [...merged.values()].map(({ source, index }, i) =>
    emit.select(source, shape, index, i === 0 ? { bias } : {}),
  );
  return emit.add(...selects);
}

/** One value among several that a maximum is taken of. */
interface Candidate {
  readonly source: VariableTensor;
  readonly position: number;
}

/**
 * Value i of the result is the maximum of x at the positions candidates[i]. A tree of max(a, b) = b + relu(a - b), one
 * ReLU for every candidate but one; an odd candidate waits for the next level.
 */
export function maximum(
  emit: Emitter,
  x: VariableTensor,
  shape: Shape,
  candidates: readonly (readonly number[])[],
): VariableTensor {
  if (candidates.some((positions) => positions.length === 0))
    refuse('takes the maximum of no value (a window of padding)');
  let open = candidates.map((positions) => positions.map((position): Candidate => ({ source: x, position })));
  while (open.some((group) => group.length > 1)) {
    const pairs = open.flatMap((group) =>
      Array.from({ length: Math.floor(group.length / 2) }, (_, i) => [group[2 * i], group[2 * i + 1]] as const),
    );
    const winners = emit.max(
      gather(
        emit,
        [pairs.length],
        pairs.map(([first]) => first),
      ),
      gather(
        emit,
        [pairs.length],
        pairs.map(([, second]) => second),
      ),
    );
    let position = 0;
    open = open.map((group) => {
      const won = Array.from({ length: Math.floor(group.length / 2) }, () => ({
        source: winners,
        position: position++,
      }));
      return group.length % 2 === 0 ? won : [...won, group[group.length - 1]];
    });
  }
  return gather(
    emit,
    shape,
    open.map(([last]) => last),
  );
}

/** The chosen values, in order, as one tensor. */
function gather(emit: Emitter, shape: Shape, chosen: readonly Candidate[]): VariableTensor {
  const parts = new Map<NodeId, Part>();
  chosen.forEach(({ source, position }, i) => {
    const part = parts.get(source.node) ?? { source, index: new Int32Array(elements(shape)).fill(-1) };
    part.index[i] = position;
    parts.set(source.node, part);
  });
  return collect(emit, shape, [...parts.values()]);
}
