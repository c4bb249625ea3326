import { optimise } from './optimise';
import type { Problem } from './problem';
import type { StepProgram, Tensors } from './steps';
import { type Candidate, childOf, type SubProblem } from './sub-problem';
import { isOver, type TimeLimit } from './time-limit';

/** What is known of one functional: its sub-problem before any split, its bound, and where to divide it. */
export interface Root {
  readonly sub: SubProblem;
  readonly bound: number;
  readonly candidates: readonly Candidate[];
}

interface Leaf {
  readonly sub: SubProblem;
  readonly bound: number;
  readonly candidates: readonly Candidate[];
}

interface Tree {
  readonly root: number;
  leaves: Leaf[];
  /** Least bound of the leaves. */
  bound: number;
  /** What each doubling of the leaves won of late. */
  gain: number;
}

export interface RefineOptions extends TimeLimit {
  /** Layers that the functionals depend on: the first so many. */
  readonly layers: number;
  /** Leaves per functional, at most. */
  readonly leaves: number;
  /** Told of leaves above 0, with the index of their root. */
  readonly onProven?: (root: number, leaf: SubProblem) => void;
}

/** Rows of one call, and steps per sub-problem. */
const batch = 128;
const steps = 8;

/**
 * Branch and bound that raises bounds of functionals towards 0: whether a neuron can change sign is decided once and for all, where bounds
 * by slopes alone leave it unstable. The worst leaves of each tree are split in every round; a tree ends when it is above 0, full, or gains
 * too little to get there. Sound: the leaves of a tree cover the part of the ball, so their least bound holds on all of it.
 *
 * @returns per root a lower bound of its functional, never below the root's
 */
export async function refine(
  program: StepProgram,
  problem: Problem,
  feeds: Tensors,
  roots: readonly Root[],
  { layers, leaves: most, onProven, ...time }: RefineOptions,
): Promise<number[]> {
  const bounds = roots.map(({ bound }) => bound);
  let open = roots.map((leaf, root): Tree => ({ root, leaves: [leaf], bound: leaf.bound, gain: 0 }));
  while (open.length > 0 && !isOver(time)) {
    const children: { readonly tree: Tree; readonly sub: SubProblem; readonly least: number }[] = [];
    const kept: Tree[] = [];
    for (const tree of open) {
      const before = tree.leaves.length;
      const chosen = tree.leaves.sort((a, b) => a.bound - b.bound).splice(0, Math.max(1, Math.ceil(before / 2)));
      // A leaf without candidates cannot be improved here, and it is the worst: the tree stays as it is.
      if (chosen[0].candidates.length === 0) continue;
      kept.push(tree);
      for (const leaf of chosen) {
        if (leaf.candidates.length === 0) {
          tree.leaves.push(leaf);
          continue;
        }
        for (const sign of [1, -1] as const) {
          const sub = childOf(problem, leaf.sub, leaf.candidates[0], sign);
          if (sub) children.push({ tree, sub, least: leaf.bound });
        }
      }
    }
    for (let at = 0; at < children.length; at += batch) {
      const part = children.slice(at, at + batch);
      const subs = part.map(({ sub }) => sub);
      const results = await optimise(program, problem, feeds, subs, { steps, alphaRate: 0.2, betaRate: 0.1, layers });
      for (const [i, { tree, sub, least }] of part.entries()) {
        const { bound } = results[i];
        const own = Math.max(least, bound);
        // Proven leaves are done: their bound is above what the tree is for.
        if (own > 0) {
          onProven?.(tree.root, { ...sub, ...results[i].values() });
          continue;
        }
        tree.leaves.push({ sub: { ...sub, ...results[i].values() }, bound: own, candidates: results[i].candidates() });
      }
    }
    open = kept.filter((tree) => {
      const before = tree.bound;
      tree.bound = tree.leaves.reduce((least, { bound }) => Math.min(least, bound), Number.POSITIVE_INFINITY);
      // All leaves above 0, each by an amount that was not kept: 0 is what holds.
      bounds[tree.root] = Math.max(bounds[tree.root], Math.min(tree.bound, 0));
      if (tree.leaves.length === 0 || tree.leaves.length >= most) return false;
      tree.gain = Math.max(tree.bound - before, tree.gain / 2);
      const doublings = Math.log2(most / tree.leaves.length) / Math.log2(1.5);
      return tree.leaves.length < 8 || -tree.bound < 2 * tree.gain * doublings;
    });
  }
  return bounds;
}
