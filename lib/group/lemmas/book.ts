import type { NodeId } from '../../network/network';
import { containsBox, type LayerBox, type Lemma } from './lemma';

/** Lemmas of one network, found by containment. */
export interface LemmaBook {
  /** A lemma of the label whose box contains the ball's bounds at the layer; what is found is used. */
  find(label: number, relu: NodeId, box: LayerBox): Lemma | undefined;
  /** False, and nothing is kept, where a lemma that is known contains it. Drops those that it contains, and the least used beyond a limit. */
  add(lemma: Lemma): boolean;
  has(label: number, relu: NodeId): boolean;
}

interface Entry {
  readonly lemma: Lemma;
  uses: number;
}

/** @param limit lemmas that are kept per label and layer */
export function lemmaBook(limit = 32): LemmaBook {
  const shelves = new Map<string, Entry[]>();
  const shelf = (label: number, relu: NodeId): Entry[] => shelves.get(`${label} ${relu}`) ?? [];
  return {
    find(label, relu, box) {
      const entries = shelf(label, relu);
      const at = entries.findIndex(({ lemma }) => containsBox(lemma.box, box));
      if (at < 0) return undefined;
      const entry = entries[at];
      entry.uses++;
      // What is used more is looked at first.
      if (at > 0 && entries[at - 1].uses < entry.uses) {
        entries[at] = entries[at - 1];
        entries[at - 1] = entry;
      }
      return entry.lemma;
    },
    add(lemma) {
      const { label, relu, box } = lemma;
      const known = shelf(label, relu);
      if (known.some((entry) => containsBox(entry.lemma.box, box))) return false;
      const kept = known.filter((entry) => !containsBox(box, entry.lemma.box));
      kept.push({ lemma, uses: lemma.members });
      kept.sort((a, b) => b.uses - a.uses);
      const shortened = kept.slice(0, limit);
      shelves.set(`${label} ${relu}`, shortened);
      return shortened.some((entry) => entry.lemma === lemma);
    },
    has: (label, relu) => shelf(label, relu).length > 0,
  };
}
