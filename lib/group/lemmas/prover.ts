import { type Bounder, type BoundOptions, createBounder } from '../../bounds/bounder';
import { marginRows, provenMargin } from '../../bounds/margin';
import type { Network, NodeId } from '../../network/network';
import { misclassification } from '../../region/violation';
import type { LayerBox, Lemma } from './lemma';
import { tailOf } from './tail';

/** Proves statements about what follows a ReLU layer; the only maker of what a lemma rests on. */
export interface Prover {
  /** Whether every path of the network passes the layer, so that it has a tail. */
  cuts(relu: NodeId): boolean;
  /** Whether the lemma speaks of this network: of a class, and of all values of a layer that cuts it. */
  fits(lemma: Lemma): boolean;
  /**
   * Proven lower bounds of the smallest margin of the label over each box of values of the ReLU layer, in real arithmetic with all rounding
   * errors subtracted; > 0 proves it, -Infinity or NaN nothing. Refuses boxes of another size, and layers that do not cut the graph.
   */
  margins(relu: NodeId, label: number, boxes: readonly LayerBox[]): Promise<Float64Array>;
  release(): Promise<void>;
}

/** One Bounder for each tail that is asked for, made at its first use. */
export function createProver(network: Network, options: BoundOptions = {}): Prover {
  const tails = new Map<NodeId, Bounder>();
  const tail = (relu: NodeId): Bounder => {
    let found = tails.get(relu);
    if (found === undefined) {
      const rest = isRelu(network, relu) ? tailOf(network, relu) : undefined;
      if (rest === undefined) throw new RangeError(`layer ${relu} does not cut the network: it has no tail`);
      found = createBounder(rest, options);
      tails.set(relu, found);
    }
    return found;
  };
  const cuts = (relu: NodeId): boolean => isRelu(network, relu) && tailOf(network, relu) !== undefined;
  return {
    cuts,
    fits: ({ relu, label, box }) =>
      label < network.classes &&
      cuts(relu) &&
      [box.lower, box.upper].every(({ length }) => length === network.nodes[relu].size),
    async margins(relu, label, boxes) {
      if (!(Number.isInteger(label) && label >= 0 && label < network.classes)) {
        throw new RangeError(`the network has no class ${label}`);
      }
      const bounder = tail(relu);
      const { size } = network.nodes[relu];
      const wrong = boxes.find(({ lower, upper }) => lower.length !== size || upper.length !== size);
      if (wrong) throw new RangeError(`layer ${relu} has ${size} values, not ${wrong.lower.length}`);
      const violation = misclassification(label, network.classes);
      const rows = marginRows(violation);
      const known = boxes.map(isProvable);
      const queries = boxes
        .filter((_, i) => known[i])
        .map(({ lower, upper }) => ({
          box: { lower: Float64Array.from(lower), upper: Float64Array.from(upper) },
          rows,
        }));
      const bounds = queries.length === 0 ? [] : await bounder.bound(queries);
      let at = 0;
      return Float64Array.from(known, (asked) =>
        asked ? provenMargin(violation, bounds[at++].rows) : Number.NEGATIVE_INFINITY,
      );
    },
    async release() {
      for (const bounder of tails.values()) await bounder.release();
      tails.clear();
    },
  };
}

function isRelu(network: Network, id: NodeId): boolean {
  return network.nodes[id]?.kind === 'relu';
}

/** Finite, and not empty: of an empty box everything could be proven. */
function isProvable({ lower, upper }: LayerBox): boolean {
  for (let j = 0; j < lower.length; j++) {
    if (!(lower[j] <= upper[j] && lower[j] >= 0 && upper[j] < Number.POSITIVE_INFINITY)) return false;
  }
  return true;
}
