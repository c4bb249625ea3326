import type { SparseRow } from '../network/affine-rows';
import { type BlockLayer, type Blocks, inputBlock } from './blocks';
import { type Assumptions, compositionError, type LayerBounds } from './problem';
import { between, none, rangeSums, type Sums, scatteredSums } from './sparse-sums';

/** An affine function of the input and of neurons that stay; those are numbered layer after layer. Indices are ascending. */
interface Composite {
  readonly input: SparseRow;
  readonly neurons: SparseRow;
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
  const bases = [0];
  for (const { lower } of bounds) bases.push(bases[bases.length - 1] + lower.length);
  const sums = { input: rangeSums(reach.length), neurons: scatteredSums(bases[end]) };
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
      isNeeded(j) ? compose(map, j, { bounds, folded, reach, bases, composites, sums }) : undefined,
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
  readonly sums: { readonly input: Sums; readonly neurons: Sums };
}

function compose(map: BlockLayer, j: number, { bounds, folded, reach, bases, composites, sums }: Known): Composite {
  let constant = map.bias[j];
  let absolute = map.biasMagnitude[j];
  // Its row is the sum.
  const readsInputOnly = map.from.length === 1 && map.from[0] === inputBlock;
  for (const [s, from] of map.from.entries()) {
    const { index, value } = map.rows[s][j];
    if (from === inputBlock) {
      if (!readsInputOnly) sums.input.add(map.rows[s][j], 1);
    } else {
      for (let i = 0; i < index.length; i++) {
        const at = index[i];
        const weight = value[i];
        if (folded[from][at]) {
          const source = composites[from][at]!;
          sums.input.add(source.input, weight);
          if (source.neurons.index.length > 0) sums.neurons.add(source.neurons, weight);
          constant += weight * source.constant;
        } else if (composites[from][at]) sums.neurons.addAt(bases[from] + at, weight);
      }
    }
    const sizes = (map.magnitudes ?? map.rows)[s][j];
    for (let i = 0; i < sizes.index.length; i++) {
      const at = sizes.index[i];
      const most =
        from === inputBlock ? reach[at] : folded[from][at] ? composites[from][at]!.absolute : bounds[from].upper[at];
      if (!(most <= 0)) absolute += Math.abs(sizes.value[i]) * most;
    }
  }
  const input = readsInputOnly ? map.rows[0][j] : sums.input.take();
  return { input, neurons: sums.neurons.take(), constant, absolute };
}

/** Rows of a layer by source: the input, then each layer before. */
function layerOf(
  rows: readonly (Composite | undefined)[],
  k: number,
  bases: readonly number[],
  enlargement: number,
): BlockLayer {
  const from = [inputBlock, ...Array.from({ length: k }, (_, s) => s)];
  const part = (row: Composite | undefined, s: number): SparseRow => {
    if (row === undefined) return none;
    return s === inputBlock ? row.input : between(row.neurons, bases[s], bases[s + 1]);
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
