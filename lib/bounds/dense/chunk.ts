import type { NodeId } from '../../network/network';
import type { Box } from '../../region/box';
import { roundDown, roundUp } from '../../region/outward';
import { fresh, lender } from '../buffers';
import { type Chunk, type ChunkOptions, type Effort, everyone, keepBetter, type OutputRow } from '../chunk';
import { forwardPass, type NodeBounds } from '../forward-pass';
import type { Programs } from '../programs';
import { errorInflation } from '../relaxation';
import { gamma } from '../rounding';
import { indexTensor, type Session, shapedTensor } from '../sessions';
import type { DenseChain } from './chain';
import { closeLayer, type Feeds, firstLayer, type OpenLayer, openLayer, outputLayer } from './compact';
import { type Group, withoutBalls } from './leave';

/** Rows of a group at the layer that groups are made for, padding included; and rows of one call. Rough ones have fewer columns. */
const rowsPerGroup: { readonly [effort in Effort]: number } = { rough: 512, full: 256 };
const rowsPerCall: { readonly [effort in Effort]: number } = { rough: 1280, full: 640 };

/** A neuron's row: +1 for its lower, -1 for its upper bound. */
type Side = 1 | -1;

/** As chunk.ts, for dense chains: every ball on the network of its own neurons that are not inactive. */
export function denseChunkOf(
  programs: Programs,
  chain: DenseChain,
  boxes: readonly Box[],
  { effort, known, keepBounds }: ChunkOptions,
): Chunk {
  const { lend, giveBack } = lender(programs.buffers);
  const pass = forwardPass(programs, boxes, lend, keepBounds ? fresh : lend);
  const { balls } = pass;
  const { layers } = chain;
  const radius = radiiOf(pass.lower, pass.upper, lend(pass.lower.length));
  const bounds: NodeBounds[] = [];
  let groups: Group[] = [];

  /**
   * Lower bounds of rows of functionals of layer `k`: per ball of the group `counts` of them, which `start` describes to the program, for `rows` rows a
   * ball from row `first` on.
   */
  const bound = async (
    { layers: below }: Group,
    session: Session,
    reach: Effort,
    counts: readonly number[],
    start: (first: number, rows: number) => Feeds,
    take: (g: number, row: number, bound: number) => void,
  ): Promise<void> => {
    const most = counts.reduce((a, b) => Math.max(a, b), 0);
    const perBall = Math.max(1, Math.floor(rowsPerCall[reach] / counts.length));
    const feeds: Feeds = Object.assign({}, ...below.map((layer) => layer.feeds));
    for (let first = 0; first < most; first += perBall) {
      const rows = Math.min(perBall, most - first);
      const out = (await session.run({ ...feeds, ...start(first, rows) })).bound;
      for (let g = 0; g < counts.length; g++) {
        const own = Math.min(rows, counts[g] - first);
        for (let r = 0; r < own; r++) take(g, first + r, out[g * rows + r]);
      }
    }
  };

  /** Bounds one side of the neurons that are unstable so far, and keeps the better of both bounds. */
  const tighten = async (group: Group, k: number, side: Side, { neurons, rows: places, ...open }: OpenLayer) => {
    const { size } = layers[k];
    const { lower, upper, error } = bounds[k];
    const session = await programs.chain(k, 'neurons', effort);
    const unstable = group.balls.map((ball, g) => unstablePlaces(lower, upper, ball * size, neurons[g]));
    const slack = group.balls.map((ball) => pass.underflow(ball));
    const weights = shapedTensor(open.weights, [group.balls.length * places, open.columns]);
    const sign = shapedTensor(Float32Array.of(side), [1, 1, 1]);
    await bound(
      group,
      session,
      effort,
      unstable.map((list) => list.length),
      (first, rows) => {
        const index = new Int32Array(group.balls.length * rows);
        for (const [g, list] of unstable.entries()) {
          // The last row of a ball is one of zeros.
          for (let r = 0; r < rows; r++) {
            index[g * rows + r] = g * places + (first + r < list.length ? list[first + r] : places - 1);
          }
        }
        return { x: weights, sign, index: indexTensor(index, [group.balls.length, rows]) };
      },
      (g, row, value) => {
        const i = group.balls[g] * size + neurons[g][unstable[g][row]];
        const proven = value - error[i] * errorInflation - slack[g];
        // Comparisons with NaN are false: then the interval step's bound stays.
        if (side === 1) {
          const below = roundDown(proven);
          if (below > lower[i]) lower[i] = below;
        } else {
          const above = roundUp(-proven);
          if (above < upper[i]) upper[i] = above;
        }
      },
    );
  };

  /** Groups the balls that are inside by their rows at the second layer, and compacts the first one. */
  const begin = async (inside: (ball: number) => boolean): Promise<void> => {
    const all = [...Array(balls).keys()].filter(inside);
    groups = groupsOf(bounds[1], all, layers[1].size, rowsPerGroup[effort]);
    for (const group of groups) {
      group.layers.push(await firstLayer(programs, effort, chain, group.balls, bounds[0], radius, lend));
    }
  };

  return {
    async propagate(after, left) {
      const inside = (ball: number): boolean => left?.[ball] !== 1;
      for (const [k, { node, relu }] of layers.entries()) {
        bounds[k] = await pass.forward(node);
        if (known && relu !== undefined) keepBetter(bounds[k], known(relu));
        if (k === 0) widenFirst(bounds[0], programs, chain);
        if (k === 1) await begin(inside);
        if (relu === undefined) return;
        if (k > 0) {
          for (const group of groups) {
            const open = openLayer(chain, k, group.balls, bounds[k].upper, group.layers[k - 1], lend);
            // Most neurons turn out inactive: their lower bounds are not needed.
            await tighten(group, k, -1, open);
            await tighten(group, k, 1, open);
            group.layers.push(closeLayer(chain, k, group.balls, bounds[k], open, lend));
          }
        }
        await after?.(relu, bounds[k]);
        if (left && everyone(left)) return;
        groups = groups.flatMap((group) => withoutBalls(group, inside));
        pass.place(relu, bounds[k]);
      }
    },

    async boundOutputs(rows) {
      const k = layers.length - 1;
      const { size } = layers[k];
      const { error } = bounds[k];
      const result = new Float64Array(rows.length).fill(Number.NEGATIVE_INFINITY);
      const ofBall = rowsByBall(rows, balls);
      const session = await programs.chain(k, 'free', effort);
      for (const group of groups) {
        const lists = group.balls.map((ball) => ofBall[ball]);
        const output = outputLayer(chain, group.layers[k - 1], lend);
        const shape = [lists.length, output.rows, output.columns];
        const weights = shapedTensor(output.weights, shape);
        await bound(
          group,
          session,
          effort,
          lists.map((list) => list.length),
          (first, count) => {
            const coefficients = lend(lists.length * count * output.rows).fill(0);
            for (const [g, list] of lists.entries()) {
              const own = Math.min(count, list.length - first);
              for (let r = 0; r < own; r++) {
                coefficients.set(rows[list[first + r]].row.coefficients, (g * count + r) * output.rows);
              }
            }
            return { x: weights, coefficients: shapedTensor(coefficients, [lists.length, count, output.rows]) };
          },
          (g, r, value) => {
            const { row } = rows[lists[g][r]];
            let constant = row.offset - pass.underflow(group.balls[g]) - Math.abs(row.offset) * 2 ** -50;
            for (let c = 0; c < size; c++) {
              // Coefficients that float32 cannot hold are off by a unit roundoff; the error weight holds many of them.
              constant -= Math.abs(row.coefficients[c]) * error[group.balls[g] * size + c] * errorInflation;
            }
            const total = value + constant;
            result[lists[g][r]] = Number.isFinite(total) ? total : Number.NEGATIVE_INFINITY;
          },
        );
      }
      return result;
    },

    release() {
      giveBack();
      groups = [];
    },

    preActivation(relu: NodeId) {
      const k = layers.findIndex((layer) => layer.relu === relu);
      if (k < 0) throw new TypeError(`node ${relu} is not a ReLU`);
      return bounds[k];
    },
  };
}

/** Radii about the float32 centre (lower + upper) / 2, rounded up. */
function radiiOf(lower: Float32Array, upper: Float32Array, to: Float32Array): Float32Array {
  for (let i = 0; i < lower.length; i++) {
    const centre = Math.fround((lower[i] + upper[i]) / 2);
    const reach = Math.max(upper[i] - centre, centre - lower[i]);
    to[i] = reach;
    if (to[i] < reach) to[i] = roundUp(reach);
    // An unbounded box has no centre: nothing is proven from it.
    else if (Number.isNaN(reach)) to[i] = Number.POSITIVE_INFINITY;
  }
  return to;
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
  for (let i = 0; i < upper.length; i++) if (lower[i] < 0 && upper[i] > 0) counts[Math.floor(i / size)]++;
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

/** Places in the list of neurons that are unstable. @param start of the ball's bounds */
function unstablePlaces(lower: Float32Array, upper: Float32Array, start: number, neurons: Int32Array): Int32Array {
  const list = new Int32Array(neurons.length);
  let count = 0;
  for (let p = 0; p < neurons.length; p++) {
    const i = start + neurons[p];
    if (lower[i] < 0 && upper[i] > 0) list[count++] = p;
  }
  return list.subarray(0, count);
}

function rowsByBall(rows: readonly OutputRow[], balls: number): number[][] {
  const lists: number[][] = Array.from({ length: balls }, () => []);
  for (const [r, { ball }] of rows.entries()) lists[ball].push(r);
  return lists;
}
