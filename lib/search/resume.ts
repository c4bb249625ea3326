import type { OpenLeaf, OpenRegion } from './checkpoint';
import type { Assumptions, LayerBounds, Problem } from './problem';
import { childOf, type SubProblem } from './sub-problem';

type Cut = OpenLeaf['cuts'][number];

/** What holds on a sub-problem besides the assumptions of its problem's region, by the network's own numbers of layers and neurons. */
export function cutsOf({ layers, offsets, splits }: Problem, sub: SubProblem): Cut[] {
  const cuts: Cut[] = [];
  const { narrowed } = sub;
  for (const [k, { alive, lower, upper }] of layers.entries()) {
    for (const [r, neuron] of alive.entries()) {
      const n = offsets[k] + r;
      const split = sub.splits[n];
      if (split !== 0 && split !== splits[n]) cuts.push([k, neuron, split > 0 ? 1 : -1, 0]);
      if (!narrowed?.cut.includes(n)) continue;
      if (narrowed.lower[n] > lower[r]) cuts.push([k, neuron, 1, narrowed.lower[n]]);
      if (narrowed.upper[n] < upper[r]) cuts.push([k, neuron, -1, narrowed.upper[n]]);
    }
  }
  return cuts;
}

/**
 * The part of a problem's root where the cuts hold, or a larger one; undefined where no input is in it. The problem need not be the one that the cuts
 * were made in: bounds may be tighter or looser now, and other neurons decided. A cut that the problem cannot express is left out, which only
 * enlarges the part, so what is proven on it holds.
 */
export function partOf(problem: Problem, root: SubProblem, cuts: readonly Cut[]): SubProblem | undefined {
  let part: SubProblem | undefined = root;
  for (const [layer, neuron, sign, at] of cuts) {
    const place = problem.layers[layer]?.alive.indexOf(neuron) ?? -1;
    if (place < 0) continue;
    const { lower, upper, isNarrow } = problem.layers[layer];
    // Bounds of the region hold on the part too.
    if (sign > 0 ? at <= lower[place] : at >= upper[place]) continue;
    if (sign > 0 ? at > upper[place] : at < lower[place]) return undefined;
    // Elsewhere than at 0 only narrow layers are cut.
    if (!isNarrow && at !== 0) continue;
    part = childOf(problem, part, { neuron: problem.offsets[layer] + place, at }, sign);
    if (part === undefined) return undefined;
  }
  return part;
}

/** Assumptions as a checkpoint lists them. */
export function listed(assumed: Assumptions): OpenRegion['assumed'] {
  return assumed.flatMap((signs, layer) => [...signs].map(([neuron, sign]) => [layer, neuron, sign] as const));
}

/** Assumptions from a checkpoint's list; `bounds` has a layer for each of the network's. */
export function assumptionsOf(list: OpenRegion['assumed'], bounds: readonly LayerBounds[]): Assumptions {
  return bounds.map(
    (_, layer) => new Map(list.filter(([of]) => of === layer).map(([, neuron, sign]) => [neuron, sign] as const)),
  );
}
