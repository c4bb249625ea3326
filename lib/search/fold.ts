import type { SparseRow } from '../network/affine-rows';
import { type BlockLayer, type Blocks, inputBlock } from './blocks';
import { type Assumptions, compositionError, type LayerBounds } from './problem';

/** An affine function of the input and of neurons that stay: entries by place, the input first, then layer after layer. */
interface Composite {
  readonly index: Int32Array;
  readonly value: Float64Array;
  readonly constant: number;
  /** Bound of the sum of absolute values of all terms that were added up, at any input of the part. */
  readonly absolute: number;
}

/** What is known of the part of the ball. */
export interface Part {
  /** Pre-activation bounds of the layers. */
  readonly bounds: readonly LayerBounds[];
  /** Bounds of the absolute values of the inputs. */
  readonly reach: Float64Array;
  /** Neurons that stay, whatever their bounds. */
  readonly assumed?: Assumptions;
}

/** `foldActive` where it makes products cheaper, else the blocks as they are. */
export function foldedWhereCheaper(blocks: Blocks, part: Part, end = part.bounds.length): Blocks {
  return pays(blocks, part, foldable(part), end) ? foldActive(blocks, part, end) : blocks;
}

/**
 * By layer and neuron, 1 where it is active on all of the part. Where it is inactive too, its value is 0 or, since bounds exclude each other, no input
 * is in the part: it is left out like any inactive one.
 */
function foldable({ bounds, assumed }: Part): Uint8Array[] {
  return bounds.map(({ lower, upper }, k) =>
    Uint8Array.from(lower, (low, j) => +(low >= 0 && !(upper[j] <= 0) && !assumed?.[k].has(j))),
  );
}

/**
 * The network on a part of the ball, without the neurons that are active on all of it: those are linear there, so what reads them reads instead
 * what they read. Exact; the float64 sums are off by at most `compositionError` times `absolute` (problem.ts), which also holds what simplifying the
 * network left in its weights (`weightError`): where terms cancel, it may be more than rounding makes of what is left. Pays where most
 * neurons that are not inactive are active, as in convolutional networks.
 *
 * @param end of the layers only the first so many, and the functionals of the one after, are asked for
 */
export function foldActive(blocks: Blocks, part: Part, end = part.bounds.length): Blocks {
  const { bounds, reach, assumed } = part;
  const folded = foldable(part);
  const inputSize = reach.length;
  const bases = [inputSize];
  for (const { lower } of bounds) bases.push(bases[bases.length - 1] + lower.length);
  const scratch = new Float64Array(bases[end]);
  const composites: (Composite | undefined)[][] = [];
  const layers: BlockLayer[] = [];
  // A path goes over every node once at most, and each may change it by so much of itself.
  const enlargement = 1 + (1.01 * blocks.network.nodes.length * blocks.weightError) / compositionError;
  for (let k = 0; k <= end; k++) {
    const map = blocks.layers[k];
    const own: LayerBounds | undefined = bounds[k];
    // Of the last layer its unstable neurons are asked for, or all outputs.
    const isNeeded = (j: number): boolean =>
      own === undefined ||
      (k === end ? !(own.lower[j] >= 0 || own.upper[j] <= 0) : !(own.upper[j] <= 0) || assumed?.[k].has(j) === true);
    const rows = Array.from(map.bias, (_, j) =>
      isNeeded(j) ? compose(map, j, { bounds, folded, reach, bases, composites, scratch }) : undefined,
    );
    composites.push(rows);
    layers[k] = layerOf(rows, k, bases, enlargement);
  }
  return { ...blocks, layers, folded };
}

/** Products of a row that have to be saved, for a problem to be worth composing. */
const worthFolding = 1e5;

/** Whether rows of products get so much shorter that it makes up for those from every layer to every later one. */
function pays({ layers }: Blocks, { bounds, reach }: Part, folded: readonly Uint8Array[], end: number): boolean {
  const inputSize = reach.length;
  const alive = bounds.map(({ upper }) => upper.reduce((count, high) => count + +!(high <= 0), 0));
  const left = alive.map((count, k) => count - folded[k].reduce((a, b) => a + b, 0));
  const perNeuron = 40;
  let [before, after, earlier] = [0, 0, inputSize];
  for (let k = 0; k < end; k++) {
    const read = layers[k].from.reduce((sum, from) => sum + (from === inputBlock ? inputSize : alive[from]), 0);
    before += alive[k] * (read + perNeuron);
    after += left[k] * (earlier + perNeuron);
    earlier += left[k];
  }
  return after < 0.8 * before && before - after > worthFolding;
}

interface Known {
  readonly bounds: readonly LayerBounds[];
  readonly folded: readonly Uint8Array[];
  readonly reach: Float64Array;
  readonly bases: readonly number[];
  /** Of the layers before. */
  readonly composites: readonly (readonly (Composite | undefined)[])[];
  /** All 0. */
  readonly scratch: Float64Array;
}

function compose(map: BlockLayer, j: number, { bounds, folded, reach, bases, composites, scratch }: Known): Composite {
  let constant = map.bias[j];
  let absolute = map.biasMagnitude[j];
  for (const [s, from] of map.from.entries()) {
    const { index, value } = map.rows[s][j];
    for (let i = 0; i < index.length; i++) {
      const at = index[i];
      const weight = value[i];
      if (from === inputBlock) scratch[at] += weight;
      else if (folded[from][at]) {
        const { index: places, value: values, constant: shift } = composites[from][at]!;
        for (let p = 0; p < places.length; p++) scratch[places[p]] += weight * values[p];
        constant += weight * shift;
      } else if (composites[from][at]) scratch[bases[from] + at] += weight;
    }
    const sizes = (map.magnitudes ?? map.rows)[s][j];
    for (let i = 0; i < sizes.index.length; i++) {
      const at = sizes.index[i];
      const most =
        from === inputBlock ? reach[at] : folded[from][at] ? composites[from][at]!.absolute : bounds[from].upper[at];
      if (!(most <= 0)) absolute += Math.abs(sizes.value[i]) * most;
    }
  }
  let count = 0;
  for (let p = 0; p < scratch.length; p++) if (scratch[p] !== 0) count++;
  const index = new Int32Array(count);
  const value = new Float64Array(count);
  for (let p = 0, at = 0; p < scratch.length; p++) {
    if (scratch[p] === 0) continue;
    index[at] = p;
    value[at++] = scratch[p];
    scratch[p] = 0;
  }
  return { index, value, constant, absolute };
}

/** Rows of a layer by source: the input, then each layer before. */
function layerOf(
  rows: readonly (Composite | undefined)[],
  k: number,
  bases: readonly number[],
  enlargement: number,
): BlockLayer {
  const from = [inputBlock, ...Array.from({ length: k }, (_, s) => s)];
  const none: SparseRow = { index: new Int32Array(0), value: new Float64Array(0) };
  const part = (row: Composite | undefined, s: number): SparseRow => {
    if (row === undefined) return none;
    const [start, stop] = [s < 0 ? 0 : bases[s], bases[s + 1]];
    const { index, value } = row;
    let first = 0;
    while (first < index.length && index[first] < start) first++;
    let last = first;
    while (last < index.length && index[last] < stop) last++;
    return { index: index.slice(first, last).map((p) => p - start), value: value.slice(first, last) };
  };
  const constants = Float64Array.from(rows, (row) => row?.constant ?? 0);
  return {
    from,
    sources: [],
    bias: constants,
    biasMagnitude: constants.map(Math.abs),
    magnitudes: undefined,
    rows: from.map((s) => rows.map((row) => part(row, s))),
    absolute: Float64Array.from(rows, (row) => (row?.absolute ?? 0) * enlargement),
  };
}
