import { containsBox, type LayerBox } from './lemma';

/** How much wider than the members need a hull is tried first, as a share of its widths: later balls fit into it more often. */
const widening = 0.1;

/** A box to be proven for several members at once. */
export interface HullCandidate {
  readonly box: LayerBox;
  /** Indices of the members that lie in it. */
  readonly members: readonly number[];
}

/** The hull of the share of the members that are nearest to their mean, at least two of them: wider than needed, then as it is. */
export function candidateHulls(boxes: readonly LayerBox[], share: number): HullCandidate[] {
  const size = Math.max(2, Math.ceil(share * boxes.length));
  const near = nearestFirst(boxes).slice(0, size);
  const plain = hullOf(near.map((i) => boxes[i]));
  return [widened(plain), plain].map((box) => {
    return { box, members: [...boxes.keys()].filter((i) => containsBox(box, boxes[i])) };
  });
}

/** The smallest box that contains all, NaN where one of them is. */
export function hullOf(boxes: readonly LayerBox[]): LayerBox {
  const lower = boxes[0].lower.slice();
  const upper = boxes[0].upper.slice();
  for (const box of boxes) {
    for (let j = 0; j < lower.length; j++) {
      if (!(box.lower[j] >= lower[j])) lower[j] = box.lower[j];
      if (!(box.upper[j] <= upper[j])) upper[j] = box.upper[j];
    }
  }
  return { lower, upper };
}

function widened({ lower, upper }: LayerBox): LayerBox {
  const wide = { lower: lower.slice(), upper: upper.slice() };
  for (let j = 0; j < lower.length; j++) {
    const by = widening * (upper[j] - lower[j]);
    wide.lower[j] = Math.max(0, lower[j] - by);
    wide.upper[j] = upper[j] + by;
  }
  return wide;
}

function nearestFirst(boxes: readonly LayerBox[]): number[] {
  const size = boxes[0].lower.length;
  const mean = new Float64Array(2 * size);
  for (const { lower, upper } of boxes) {
    for (let j = 0; j < size; j++) {
      mean[j] += lower[j] / boxes.length;
      mean[size + j] += upper[j] / boxes.length;
    }
  }
  const distance = boxes.map(({ lower, upper }) => {
    let sum = 0;
    for (let j = 0; j < size; j++) sum += Math.abs(lower[j] - mean[j]) + Math.abs(upper[j] - mean[size + j]);
    return sum;
  });
  return [...boxes.keys()].sort((a, b) => distance[a] - distance[b] || a - b);
}
