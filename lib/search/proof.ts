import type { LayerBounds, Problem } from './problem';
import { initialSlopes } from './problem';
import { childOf, type SubProblem } from './sub-problem';

/**
 * What proved a ball, in the network's own numbers, so that it can be tried on another one (transfer.ts): trees of sub-problems, each with the
 * slopes and multipliers that raised it. Nothing here is trusted: every bound is computed anew for the other ball, and `coverOf` covers
 * that ball whatever is recorded.
 */
export interface Proof {
  /** The level at which the last margin was proven (levels.ts). */
  readonly level: number;
  /** Bounds before any of the search: what tells whether another ball is alike. */
  readonly bounds: readonly LayerBounds[];
  /** By layer, functionals sign * z of neurons, and the leaves that bounded them. */
  readonly neurons: readonly (readonly NeuronProof[])[];
  /** By functional. */
  readonly margins: readonly (readonly ProofLeaf[])[];
  /** Of all trees. */
  readonly leaves: number;
}

export interface NeuronProof {
  readonly neuron: number;
  readonly sign: 1 | -1;
  readonly leaves: readonly ProofLeaf[];
}

/** A cut of a neuron's range: z >= at (sign 1) or z <= at. */
export interface ProofCut {
  readonly layer: number;
  readonly neuron: number;
  readonly at: number;
  readonly sign: 1 | -1;
}

export interface ProofLeaf {
  /** From the root of its tree. */
  readonly path: readonly ProofCut[];
  readonly values: ProofValues;
}

/** Slopes below and signed multipliers, by place in `frame`. */
export interface ProofValues {
  readonly frame: Frame;
  readonly alpha: Float32Array;
  readonly multiplier: Float32Array;
}

/** The neurons that slopes and multipliers are of: ascending, by layer. */
export type Frame = readonly Int32Array[];

/** Collects the proof of one ball while it is searched. */
export interface Recorder {
  /** Leaves whose bounds together hold for sign * z of a neuron on all of the ball; what was recorded of it before is forgotten. */
  neuron(problem: Problem, layer: number, neuron: number, sign: 1 | -1, leaves: readonly SubProblem[]): void;
  /** Trees of these functionals begin (anew): what was recorded of them is forgotten. Returns what takes their proven leaves. */
  trees(
    problem: Problem,
    level: number,
    functionals: readonly number[],
  ): (functional: number, leaf: SubProblem) => void;
  /** The proof; undefined where it has more than `mostLeaves`. */
  proof(bounds: readonly LayerBounds[], mostLeaves: number): Proof | undefined;
}

export function recorder(functionals: number): Recorder {
  const frames = new WeakMap<Problem, Frame>();
  const neurons: Map<number, NeuronProof>[] = [];
  const margins: ProofLeaf[][] = Array.from({ length: functionals }, () => []);
  let last = 0;
  const leafOf = (problem: Problem, sub: SubProblem): ProofLeaf => {
    let frame = frames.get(problem);
    if (frame === undefined) {
      frame = problem.layers.map(({ alive }) => alive);
      frames.set(problem, frame);
    }
    return { path: pathOf(problem, sub), values: { frame, alpha: sub.alpha, multiplier: multiplierOf(sub) } };
  };
  return {
    neuron(problem, layer, neuron, sign, leaves) {
      neurons[layer] ??= new Map();
      const own = leaves.map((leaf) => leafOf(problem, leaf));
      neurons[layer].set(sign * (neuron + 1), { neuron, sign, leaves: own });
    },
    trees(problem, level, own) {
      last = level;
      for (const functional of own) margins[functional] = [];
      return (functional, leaf) => margins[functional].push(leafOf(problem, leaf));
    },
    proof(bounds, mostLeaves) {
      const byLayer = Array.from({ length: bounds.length }, (_, k) => [...(neurons[k]?.values() ?? [])]);
      const all: readonly { length: number }[] = [...margins, ...byLayer.flat().map(({ leaves }) => leaves)];
      const leaves = all.reduce((sum, { length }) => sum + length, 0);
      return leaves > mostLeaves ? undefined : { level: last, bounds, neurons: byLayer, margins, leaves };
    },
  };
}

function pathOf({ layers, offsets }: Problem, { path }: SubProblem): ProofCut[] {
  const cuts: ProofCut[] = [];
  for (let step = path; step !== undefined; step = step.before) {
    const { neuron, at, sign } = step;
    const layer = offsets.findLastIndex((offset) => offset <= neuron);
    cuts.push({ layer, neuron: layers[layer].alive[neuron - offsets[layer]], at, sign });
  }
  return cuts.reverse();
}

/** Multipliers as the step program takes them (tables.ts): of splits -beta or +beta, of cuts as they are. */
function multiplierOf({ splits, beta, narrowed }: SubProblem): Float32Array {
  const multiplier = new Float32Array(beta.length);
  for (const [n, split] of splits.entries()) if (split !== 0) multiplier[n] = -split * beta[n];
  for (const n of narrowed?.cut ?? []) multiplier[n] = beta[n];
  return multiplier;
}

/**
 * The tree that the paths describe, on another ball: sub-problems that cover `root` whatever the leaves are. Where both sides of a cut are
 * possible both are taken, and a side of which no leaf was recorded is one sub-problem; a cut that the ball decides, or that its
 * problem cannot express, is left out.
 *
 * @param bounds of the ball, with which `problem` was made
 */
export function coverOf(
  problem: Problem,
  bounds: readonly LayerBounds[],
  root: SubProblem,
  leaves: readonly ProofLeaf[],
): SubProblem[] {
  const translate = translator(problem);
  const found: SubProblem[] = [];
  const visit = (part: SubProblem, below: readonly ProofLeaf[], depth: number): void => {
    const cut = below.every(({ path }) => path.length > depth) ? below[0]?.path[depth] : undefined;
    if (cut === undefined) {
      const end = below.find(({ path }) => path.length === depth);
      found.push(end ? translate(part, end.values) : part);
      return;
    }
    const { layer, neuron, at } = cut;
    const side = (sign: 1 | -1): ProofLeaf[] =>
      below.filter(
        ({ path: { [depth]: own } }) =>
          own.sign === sign && own.neuron === neuron && own.layer === layer && own.at === at,
      );
    const place = problem.layers[layer].alive.indexOf(neuron);
    const n = problem.offsets[layer] + place;
    const own = place >= 0 ? part.narrowed : undefined;
    const low = own ? own.lower[n] : bounds[layer].lower[neuron];
    const high = own ? own.upper[n] : bounds[layer].upper[neuron];
    const split = place >= 0 ? part.splits[n] : 0;
    const isExpressible = place >= 0 && (at === 0 || problem.layers[layer].isNarrow);
    // Decided: the side that it is on is all of the part.
    if (low >= at || (split > 0 && at <= 0)) visit(part, side(1), depth + 1);
    else if (high <= at || (split < 0 && at >= 0)) visit(part, side(-1), depth + 1);
    else if (!isExpressible) visit(part, side(cut.sign), depth + 1);
    else {
      for (const sign of [1, -1] as const) {
        const child = childOf(problem, part, { neuron: n, at }, sign);
        if (child !== undefined) visit(child, side(sign), depth + 1);
      }
    }
  };
  visit(root, leaves, 0);
  return found;
}

/** Slopes and multipliers of a proof for a sub-problem of another problem. Any are sound; neurons that the proof lacks start as usual. */
function translator(problem: Problem): (part: SubProblem, values: ProofValues) => SubProblem {
  const start = initialSlopes(problem);
  const maps = new Map<Frame, Int32Array>();
  const mapOf = (frame: Frame): Int32Array => {
    let map = maps.get(frame);
    if (map === undefined) {
      map = placesIn(frame, problem);
      maps.set(frame, map);
    }
    return map;
  };
  return (part, { frame, alpha, multiplier }) => {
    const map = mapOf(frame);
    const own = start.slice();
    const beta = new Float32Array(own.length);
    for (let n = 0; n < own.length; n++) {
      const from = map[n];
      if (from < 0) continue;
      own[n] = alpha[from];
      // Of a split only its own sign is sound.
      if (part.splits[n] !== 0) beta[n] = Math.max(0, -part.splits[n] * multiplier[from]);
    }
    for (const n of part.narrowed?.cut ?? []) if (map[n] >= 0) beta[n] = multiplier[map[n]];
    return { ...part, alpha: own, beta };
  };
}

/** By neuron of the problem, its place in the frame; -1 where it has none. */
function placesIn(frame: Frame, { layers, offsets }: Problem): Int32Array {
  const map = new Int32Array(offsets[layers.length]).fill(-1);
  let offset = 0;
  for (const [k, own] of frame.entries()) {
    let at = 0;
    for (const [r, neuron] of (layers[k]?.alive ?? []).entries()) {
      while (at < own.length && own[at] < neuron) at++;
      if (own[at] === neuron) map[offsets[k] + r] = offset + at;
    }
    offset += own.length;
  }
  return map;
}

/** In how many neurons the signs that bounds decide differ: how unlike two balls are. */
export function unlikeness(a: readonly LayerBounds[], b: readonly LayerBounds[]): number {
  let sum = 0;
  for (const [k, { lower, upper }] of a.entries()) {
    for (let j = 0; j < lower.length; j++) {
      if (upper[j] > 0 !== b[k].upper[j] > 0) sum++;
      if (lower[j] < 0 !== b[k].lower[j] < 0) sum++;
    }
  }
  return sum;
}
