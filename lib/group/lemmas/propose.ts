import type { NodeId } from '../../network/network';
import { candidateHulls } from './hulls';
import type { LayerBox, Lemma } from './lemma';
import type { Prover } from './prover';

/** Members of one label, by what the rest of the network can see of them at a layer. */
export interface Members {
  readonly label: number;
  readonly relu: NodeId;
  readonly boxes: readonly LayerBox[];
}

/** Proven margin per member, undefined where nothing was proven; and the lemma that later balls may use. */
export interface Proposal {
  readonly margins: readonly (number | undefined)[];
  readonly lemma?: Lemma;
}

export interface Proposer {
  /**
   * Proves a hull of several members' boxes. It counts only once the prover has bounded its margins away from 0: what cannot be proven never
   * becomes a lemma. Of how many members is learned per label: more after each success, fewer after each failure.
   */
  hull(members: Members): Promise<Proposal>;
  /** Proves each member's own box: a hull of one, which settles it, but which hardly another ball will lie in. */
  own(members: Members): Promise<Proposal>;
}

/** Shares of the members that a hull is made of. */
const shares = [1, 0.75, 0.5, 0.25];
/** Fewer are cheaper one by one. */
const fewest = 4;
/** Hulls of one proposal that may fail, and of one label in a row, before hulls are given up for the label. */
const failuresPerProposal = 2;
const failuresPerLabel = 6;

export function createProposer(prover: Prover): Proposer {
  const labels = new Map<number, { share: number; failures: number }>();
  return {
    async hull({ label, relu, boxes }) {
      const nothing: Proposal = { margins: boxes.map(() => undefined) };
      const state = labels.get(label) ?? { share: 1, failures: 0 };
      labels.set(label, state);
      if (boxes.length < fewest || state.failures >= failuresPerLabel) return nothing;
      for (let failure = 0; failure < failuresPerProposal; failure++) {
        const candidates = candidateHulls(boxes, shares[state.share]);
        const hulls = candidates.map(({ box }) => box);
        const proven = await prover.margins(relu, label, hulls);
        const best = proven.findIndex((margin) => margin > 0);
        if (best < 0) {
          state.share = Math.min(state.share + 1, shares.length - 1);
          state.failures++;
          continue;
        }
        state.share = Math.max(state.share - 1, 0);
        state.failures = 0;
        const { box, members } = candidates[best];
        const margin = proven[best];
        const inside = new Set(members);
        const margins = boxes.map((_, i) => (inside.has(i) ? margin : undefined));
        return { margins, lemma: { label, relu, box, margin, members: members.length } };
      }
      return nothing;
    },

    async own({ label, relu, boxes }) {
      const proven = await prover.margins(relu, label, boxes);
      return { margins: Array.from(proven, (margin) => (margin > 0 ? margin : undefined)) };
    },
  };
}
