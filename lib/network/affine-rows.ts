import type { ConvNode, Network, NodeId } from './network';

/** One row of a sparse matrix: value[i] at column index[i], ascending. */
export interface SparseRow {
  readonly index: Int32Array;
  readonly value: Float64Array;
}

/**
 * The affine map from the sources of a segment (ReLUs, the input) to its end, row by row: end[j] = bias[j] + sum over sources s of
 * rows(s)[j] . s.
 */
export interface AffineRows {
  readonly sources: readonly NodeId[];
  readonly bias: Float64Array;
  /** By source, in the order of `sources`. */
  readonly rows: readonly (readonly SparseRow[])[];
  /**
   * Whether each entry is a weight of the network as it is. Entries of composed maps are float64 sums; `magnitudes` then has the sums of
   * absolute values, which bound their rounding errors.
   */
  readonly magnitudes: readonly (readonly SparseRow[])[] | undefined;
  /** Bounds of the absolute values of the terms that each bias adds up: more than |bias| where they cancel. */
  readonly biasMagnitude: Float64Array;
}

/** Part of a row while it is composed: dense over all sources of the segment, and the constant. */
interface Row {
  readonly at: ReadonlyMap<number, number>;
  readonly constant: number;
}

/** Expands the segment that ends at `end`; `sources` are its ReLU and input nodes (lib/bounds/segments.ts). */
export function affineRows(network: Network, end: NodeId, sources: readonly NodeId[]): AffineRows {
  const offsets = new Map<NodeId, number>();
  let width = 0;
  for (const id of sources) {
    offsets.set(id, width);
    width += network.nodes[id].size;
  }
  let composed = false;
  const expand = (id: NodeId, part: (weight: number) => number): Row[] => {
    const known = offsets.get(id);
    const node = network.nodes[id];
    if (known !== undefined) {
      return Array.from({ length: node.size }, (_, j) => ({ at: new Map([[known + j, 1]]), constant: 0 }));
    }
    if (node.kind === 'input' || node.kind === 'relu') throw new Error(`node ${id} is not a source of the segment`);
    if (node.kind === 'add') {
      const parts = node.from.map((from) => expand(from, part));
      composed ||= node.from.some((from) => !offsets.has(from));
      return Array.from({ length: node.size }, (_, j) => sum(parts.map((rows) => [rows[j], 1] as const)));
    }
    const from = expand(node.from, part);
    composed ||= !offsets.has(node.from);
    return Array.from({ length: node.size }, (_, j) => {
      const terms: (readonly [Row, number])[] = [];
      let bias = 0;
      if (node.kind === 'dense') {
        for (let k = 0; k < from.length; k++) terms.push([from[k], part(node.weight[j * from.length + k])]);
        bias = node.bias[j];
      } else if (node.kind === 'select') {
        if (node.index[j] >= 0) terms.push([from[node.index[j]], part(node.scale?.[j] ?? 1)]);
        bias = node.bias?.[j] ?? 0;
      } else {
        for (const [k, weight] of convTerms(node, j)) terms.push([from[k], part(weight)]);
        bias = node.bias[Math.floor(j / (node.outShape[1] * node.outShape[2]))];
      }
      const row = sum(terms);
      return { at: row.at, constant: row.constant + part(bias) };
    });
  };
  const split = (rows: readonly Row[]): SparseRow[][] =>
    sources.map((id) => {
      const start = offsets.get(id)!;
      const stop = start + network.nodes[id].size;
      return rows.map(({ at }) => {
        const own = [...at].filter(([i, value]) => i >= start && i < stop && value !== 0).sort(([a], [b]) => a - b);
        return { index: Int32Array.from(own, ([i]) => i - start), value: Float64Array.from(own, ([, value]) => value) };
      });
    });
  const signed = expand(end, (weight) => weight);
  const absolute = composed ? expand(end, Math.abs) : undefined;
  return {
    sources,
    bias: Float64Array.from(signed, ({ constant }) => constant),
    rows: split(signed),
    magnitudes: absolute && split(absolute),
    biasMagnitude: Float64Array.from(absolute ?? signed, ({ constant }) => Math.abs(constant)),
  };
}

function sum(terms: readonly (readonly [Row, number])[]): Row {
  const at = new Map<number, number>();
  let constant = 0;
  for (const [row, weight] of terms) {
    if (weight === 0) continue;
    constant += weight * row.constant;
    for (const [i, value] of row.at) at.set(i, (at.get(i) ?? 0) + weight * value);
  }
  return { at, constant };
}

/** The inputs that output `j` of a convolution reads, with their weights. */
export function* convTerms(node: ConvNode, j: number): Generator<readonly [index: number, weight: number]> {
  const [outChannels, outHeight, outWidth] = node.outShape;
  const [inChannels, inHeight, inWidth] = node.inShape;
  const channel = Math.floor(j / (outHeight * outWidth));
  const y = Math.floor(j / outWidth) % outHeight;
  const x = j % outWidth;
  const perGroup = inChannels / node.groups;
  const firstIn = Math.floor(channel / (outChannels / node.groups)) * perGroup;
  for (let c = 0; c < perGroup; c++) {
    for (let ky = 0; ky < node.kernel[0]; ky++) {
      const iy = y * node.strides[0] - node.pads[0] + ky * node.dilations[0];
      if (iy < 0 || iy >= inHeight) continue;
      for (let kx = 0; kx < node.kernel[1]; kx++) {
        const ix = x * node.strides[1] - node.pads[1] + kx * node.dilations[1];
        if (ix < 0 || ix >= inWidth) continue;
        const weight = node.weight[((channel * perGroup + c) * node.kernel[0] + ky) * node.kernel[1] + kx];
        yield [((firstIn + c) * inHeight + iy) * inWidth + ix, weight];
      }
    }
  }
}
