import type { NodeId } from '../../network/network';
import type { Box } from '../../region/box';
import { fresh, lender } from '../buffers';
import { type Chunk, type ChunkOptions, type Effort, everyone } from '../chunk';
import { forwardPass, type NodeBounds } from '../forward-pass';
import { nothingProven } from '../output-rows';
import type { Programs } from '../programs';
import { errorInflation } from '../relaxation';
import { gamma } from '../rounding';
import { keepRowBound } from '../row-bound';
import { shapedTensor } from '../sessions';
import type { DenseChain } from './chain';
import { closeLayer, firstLayer, openLayer, shrinkLayer } from './compact';
import { outputWeights } from './gather';
import { type Group, withoutBalls } from './leave';
import { leastSlope } from './lines';
import { bitsOf, hasSign, isAbove0, type NeuronLists } from './lists';
import { coefficientsOf, keepOutputs, leastOf } from './outputs';
import { roughInput } from './rough-input';
import { boundRows } from './rows';
import type { Workspace } from './workspace';

/** Rows of a group at the layer that groups are made for, padding included. Rough ones have fewer columns. */
const rowsPerGroup: { readonly [effort in Effort]: number } = { rough: 768, full: 512 };

/** A neuron's row: +1 for its lower, -1 for its upper bound. */
type Side = 1 | -1;

/** As chunk.ts, for dense chains: every ball on the network of its own neurons that are not inactive. */
export function denseChunkOf(
  programs: Programs,
  { chain, buffers }: Workspace,
  boxes: readonly Box[],
  { effort, known, keepBounds }: ChunkOptions,
): Chunk {
  const { lend, giveBack } = lender(buffers);
  const pass = forwardPass(programs, boxes, lend, keepBounds ? fresh : lend, known);
  const { balls } = pass;
  const { layers } = chain;
  /** Coefficients come times slopes, so that their underflow counts for more. */
  const underflow = (ball: number): number => pass.underflow(ball) / leastSlope;
  const bounds: NodeBounds[] = [];
  let groups: Group[] = [];
  let isReleased = false;

  /**
   * Bounds one side of neurons, and keeps the better of both bounds.
   *
   * @param listed the first `count` neurons of each list
   * @param rows [balls of the group, R, columns]
   */
  const tighten = async (
    group: Group,
    k: number,
    side: Side,
    { list, size }: NeuronLists,
    count: Int32Array,
    rows: Float32Array,
    perBall: number,
  ): Promise<void> => {
    if (perBall === 0) return;
    const { error } = bounds[k];
    const { bias } = layers[k];
    const { columns, terms } = group.layers[k - 1];
    const g = gamma(terms);
    const found = lend(group.balls.length * perBall);
    const tensor = shapedTensor(rows, [group.balls.length, perBall, columns]);
    const session = await programs.chain(k, side > 0 ? 'lower' : 'upper', effort);
    await boundRows(session, effort, group.layers, tensor, {}, found);
    for (let b = 0; b < group.balls.length; b++) {
      const slack = underflow(group.balls[b]);
      const start = group.balls[b] * size;
      for (let r = 0; r < count[b]; r++) {
        const j = list[b * size + r];
        const i = start + j;
        const proven = found[b * perBall + r] - (error[i] + g * Math.abs(bias[j])) * errorInflation - slack;
        keepRowBound(bounds[k], i, side, proven);
      }
    }
  };

  /** Bounds layer `k` of a group's balls by rows, and compacts it. */
  const addLayer = async (group: Group, k: number): Promise<void> => {
    const before = group.layers[k - 1];
    const now = lender(buffers);
    try {
      const open = openLayer(chain, k, group.balls, bounds[k], before, now.lend);
      // Most neurons turn out inactive: their lower bounds are not needed.
      await tighten(group, k, -1, open.unstable, open.unstable.count, open.rows, open.perBall);
      const closing = shrinkLayer(chain, k, group.balls, bounds[k].upper, open, before, lend, now.lend);
      await tighten(group, k, 1, closing.alive, closing.unstable, closing.rows, closing.perBall);
      group.layers.push(closeLayer(chain, k, group.balls, bounds[k], closing, before, lend));
    } finally {
      now.giveBack();
    }
  };

  /** Groups the balls that are inside by their rows at the second layer, and compacts the first one. */
  const begin = async (inside: (ball: number) => boolean): Promise<void> => {
    const all = [...Array(balls).keys()].filter(inside);
    groups = groupsOf(bounds[1], all, layers[1].size, rowsPerGroup[effort]);
    const now = lender(buffers);
    try {
      const rough =
        effort === 'rough' ? await roughInput(programs, chain, all, bounds[0], pass.radius, now.lend) : undefined;
      for (const group of groups)
        group.layers.push(firstLayer(chain, group.balls, bounds[0], pass.radius, rough, lend));
    } finally {
      now.giveBack();
    }
  };

  return {
    async propagate(after, left) {
      const inside = (ball: number): boolean => left?.[ball] !== 1;
      for (const [k, { node, relu }] of layers.entries()) {
        bounds[k] = await pass.forward(node);
        if (k === 0 && known === undefined) widenFirst(bounds[0], programs, chain);
        if (k === 1) await begin(inside);
        if (relu === undefined) return;
        if (k > 0) for (const group of groups) await addLayer(group, k);
        await after?.(relu, bounds[k]);
        // After a rough pass rows of balls that have left are asked for, too: interval steps go on.
        if (left && effort === 'full' && everyone(left)) return;
        groups = groups.flatMap((group) => withoutBalls(group, inside));
        pass.place(relu, bounds[k], k > 0);
      }
    },

    async boundOutputs(rows) {
      const k = layers.length - 1;
      const { size, bias } = layers[k];
      const { error } = bounds[k];
      const results = nothingProven(rows);
      if (effort === 'rough') {
        const inside = new Set(groups.flatMap((group) => group.balls));
        for (let ball = 0; ball < balls; ball++) {
          if (inside.has(ball)) continue;
          for (const [r, row] of rows[ball].entries()) results[ball][r] = leastOf(row, bounds[k], ball * size);
        }
      }
      const session = await programs.chain(k, 'free', effort);
      for (const group of groups) {
        const lists = group.balls.map((ball) => rows[ball]);
        const perBall = lists.reduce((most, list) => Math.max(most, list.length), 0);
        if (perBall === 0) continue;
        const before = group.layers[k - 1];
        const { length } = lists;
        const coefficients = coefficientsOf(lists, perBall, size, lend);
        const weights = outputWeights(chain, length, before, lend);
        const found = lend(length * perBall);
        const tensor = shapedTensor(coefficients, [length, perBall, size]);
        const x = shapedTensor(weights, [length, size, before.columns]);
        await boundRows(session, effort, group.layers, tensor, { x }, found);
        const g = gamma(before.terms + size);
        for (let b = 0; b < length; b++) {
          const ball = group.balls[b];
          keepOutputs(results[ball], lists[b], found, b * perBall, error, ball * size, bias, g, underflow(ball));
        }
      }
      return results;
    },

    input: pass,
    lend,
    known: (kept) => pass.known(kept),

    release() {
      isReleased = true;
      giveBack();
      groups = [];
    },

    preActivation(relu: NodeId) {
      const k = layers.findIndex((layer) => layer.relu === relu);
      if (k < 0) throw new TypeError(`node ${relu} is not a ReLU`);
      if (isReleased && !keepBounds) throw new TypeError('bounds that were given back');
      return bounds[k];
    },
  };
}

/**
 * The first step's error weight counts one sum over the inputs; a compacted pass has a second one there, over the neurons, before it sums
 * absolute values (docs/soundness.md, "Compacted networks").
 */
function widenFirst({ error }: NodeBounds, { network }: Programs, { inputSize, layers }: DenseChain): void {
  const { size } = layers[0];
  const counted = gamma(Math.max(inputSize, size));
  const factor = gamma(inputSize + 2 * size + network.nodes.length + 64) / counted;
  for (let i = 0; i < error.length; i++) error[i] = error[i] * factor;
}

/** Balls with equally many rows at the second layer go together, so that little is padded. */
function groupsOf({ lower, upper }: NodeBounds, balls: readonly number[], size: number, most: number): Group[] {
  const counts = new Int32Array(upper.length / size);
  const [below, above] = [bitsOf(lower), bitsOf(upper)];
  for (const ball of balls) {
    let count = 0;
    for (let i = ball * size; i < (ball + 1) * size; i++) count += hasSign(below[i]) & isAbove0(above[i]);
    counts[ball] = count;
  }
  const order = [...balls].sort((a, b) => counts[a] - counts[b] || a - b);
  const groups: Group[] = [];
  for (let start = 0; start < order.length; ) {
    let end = start + 1;
    while (end < order.length && (end + 1 - start) * Math.max(8, counts[order[end]]) <= most) end++;
    groups.push({ balls: order.slice(start, end), layers: [] });
    start = end;
  }
  return groups;
}
