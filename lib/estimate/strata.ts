import type { Fingerprints } from '../group/fingerprint';
import { buildTree } from '../group/tree';
import { type Random, shuffled } from '../random';

/** Inputs of a data set that were looked at: predicted, and their activation patterns taken. All of them where there are few. */
export interface Pool {
  /** [inputs of the data set] */
  readonly labels: ArrayLike<number>;
  /** Indices into the data set, one for each row of the following. */
  readonly inputs: ArrayLike<number>;
  readonly misclassified: Uint8Array;
  readonly prints: Fingerprints;
}

/** Inputs that are alike: one label, one part of its cluster tree. */
export interface Stratum {
  readonly label: number;
  /** Those of the pool, by index in the data set, none of them misclassified. */
  readonly inputs: readonly number[];
  /** How many inputs of the data set it stands for. */
  readonly weight: number;
}

/** Parts that the inputs of a label are divided into, and inputs that each part has at least. */
const partsPerLabel = 4;
const fewestMembers = 8;

/**
 * The strata of a pool, by label and then by the shallowest cuts of the label's cluster tree: inputs with similar activation patterns take
 * similar effort. A stratum's weight is the number of inputs with its label times its share of the pool's (double sampling for
 * stratification; Cochran 1977, "Sampling Techniques", section 12.2). Misclassified inputs cost nothing and are in none.
 */
export function strataOf({ labels, inputs, misclassified, prints }: Pool, seed: number): Stratum[] {
  const ofLabel = new Map<number, { all: number; rows: number[] }>();
  for (let row = 0; row < inputs.length; row++) {
    const label = labels[inputs[row]];
    const found = ofLabel.get(label) ?? { all: 0, rows: [] };
    found.all++;
    if (misclassified[row] === 0) found.rows.push(row);
    ofLabel.set(label, found);
  }
  const counts = new Map<number, number>();
  for (let i = 0; i < labels.length; i++) counts.set(labels[i], (counts.get(labels[i]) ?? 0) + 1);
  const covered = [...ofLabel.keys()].reduce((sum, label) => sum + (counts.get(label) ?? 0), 0);
  // A label that no input of the pool has is taken to be like the others.
  const scale = labels.length / covered;
  return [...ofLabel]
    .sort(([a], [b]) => a - b)
    .flatMap(([label, { all, rows }]) => {
      const each = (scale * (counts.get(label) ?? 0)) / all;
      return partsOf(prints, rows, seed + label).map((part) => ({
        label,
        inputs: part.map((row) => inputs[row]),
        weight: part.length * each,
      }));
    });
}

/** Rows in the order of their cluster tree, divided at its shallowest cuts. */
function partsOf(prints: Fingerprints, rows: readonly number[], seed: number): number[][] {
  if (rows.length === 0) return [];
  const { order, depths } = buildTree(prints, rows, seed);
  const parts = Math.max(1, Math.min(partsPerLabel, Math.floor(rows.length / fewestMembers)));
  const cuts = Array.from({ length: rows.length - 1 }, (_, i) => i + 1)
    .sort((a, b) => depths[a] - depths[b] || a - b)
    .slice(0, parts - 1)
    .sort((a, b) => a - b);
  const bounds = [0, ...cuts, rows.length];
  return bounds.slice(1).map((end, i) => [...order.subarray(bounds[i], end)]);
}

/**
 * How many inputs of each stratum to sample, `most` in all (a little more, since every stratum gets two, and less where it has no more). In
 * proportion to weight times spread (Neyman 1934), which without `spreads` is proportional allocation.
 */
export function allocate(strata: readonly Stratum[], most: number, spreads?: readonly number[]): number[] {
  const sizes = strata.map(({ weight }, h) => weight * (spreads?.[h] ?? 1));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  return strata.map(({ inputs }, h) => {
    const wanted = total > 0 ? Math.ceil((most * sizes[h]) / total) : 0;
    return Math.min(inputs.length, Math.max(2, wanted));
  });
}

/** Random inputs of each stratum, so many that with those known there are as many as allocated. */
export function draw(
  strata: readonly Stratum[],
  allocation: readonly number[],
  isKnown: (input: number) => boolean,
  rng: Random,
): number[] {
  return strata.flatMap(({ inputs }, h) => {
    const left = inputs.filter((input) => !isKnown(input));
    const wanted = Math.max(0, allocation[h] - (inputs.length - left.length));
    return [...shuffled(left.length, rng).subarray(0, wanted)].map((place) => left[place]);
  });
}
