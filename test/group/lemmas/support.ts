import { createBounder } from '../../../lib/bounds/bounder';
import { marginRows } from '../../../lib/bounds/margin';
import type { Lemma } from '../../../lib/group/lemmas/lemma';
import type { LabelledQuery, LemmaOptions, Lemmas } from '../../../lib/group/lemmas/lemmas';
import { createLemmas } from '../../../lib/group/lemmas/lemmas';
import { evaluate } from '../../../lib/network/evaluate';
import type { Network } from '../../../lib/network/network';
import { readNetwork } from '../../../lib/network/read';
import type { Box } from '../../../lib/region/box';
import { misclassification } from '../../../lib/region/violation';
import { randomBox } from '../../support/balls';

/** Balls of a label close to each other: small boxes around points near the centre of one, which the network gives that label. */
export function neighbours(network: Network, count: number, radius: number, seed: number): LabelledQuery[] {
  const around = randomBox(network.inputSize, 0, seed);
  const label = predicted(network, Float32Array.from(around.lower));
  const rows = marginRows(misclassification(label, network.classes));
  return Array.from({ length: count }, (_, i) => {
    const shift = randomBox(network.inputSize, 0, 1000 * seed + i).lower;
    const move = (side: number) => around.lower.map((value, j) => value + radius * (2 * shift[j] + side));
    return { box: { lower: move(-1), upper: move(1) }, rows, label };
  });
}

/** A lemma that balls close to each other give, and these balls. */
export async function someLemma(
  network: Network,
  lemmas: Lemmas,
): Promise<{ readonly lemma: Lemma; readonly queries: readonly LabelledQuery[] }> {
  for (let seed = 1; seed <= 20; seed++) {
    const queries = neighbours(network, 8, 0.0005, seed);
    await lemmas.bound(queries);
    const [lemma] = lemmas.takeNew();
    if (lemma) return { lemma, queries };
  }
  throw new Error('no hull was proven');
}

function predicted(network: Network, x: Float32Array): number {
  const scores = evaluate(network, x)[network.output];
  return scores.indexOf(Math.max(...scores));
}

/** Bounder and lemmas of a model; `release` gives back both. */
export function lemmasOf(model: Uint8Array, options: LemmaOptions = {}) {
  const { network } = readNetwork(model);
  const bounder = createBounder(network, { stages: false });
  const lemmas = createLemmas(bounder, options);
  const release = async (): Promise<void> => {
    await lemmas.release();
    await bounder.release();
  };
  return { network, bounder, lemmas, release };
}

/** The smallest margin of the label at a point, in float64. */
export function marginAt(network: Network, label: number, x: Float32Array): number {
  const scores = evaluate(network, x)[network.output];
  return Math.min(...scores.filter((_, k) => k !== label).map((score) => scores[label] - score));
}

/** Corners of the box that a gradient-free attack finds: coordinate by coordinate whatever lowers the margin. */
export function attacked(network: Network, label: number, { lower, upper }: Box): Float32Array {
  const x = Float32Array.from(lower, (low, i) => Math.fround((low + upper[i]) / 2));
  const inside = (value: number, i: number): number => {
    const rounded = Math.fround(value);
    return rounded >= lower[i] && rounded <= upper[i] ? rounded : x[i];
  };
  for (let i = 0; i < x.length; i++) {
    const sides = [inside(lower[i], i), inside(upper[i], i)];
    const [low, high] = sides.map((value) => {
      const moved = Float32Array.from(x);
      moved[i] = value;
      return marginAt(network, label, moved);
    });
    x[i] = low < high ? sides[0] : sides[1];
  }
  return x;
}
