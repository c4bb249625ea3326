import type { NodeId } from '../../network/network';
import type { Box } from '../../region/box';
import { roundDown, roundedInto, roundUp } from '../../region/outward';
import { type Chunk, everyone, type OutputRow } from '../chunk';
import { forwardPass, type NodeBounds } from '../forward-pass';
import type { Programs } from '../programs';
import { errorInflation } from '../relaxation';
import { gamma } from '../rounding';
import { shapedTensor } from '../sessions';
import type { DenseChain } from './chain';
import { firstLayer, nextLayer } from './compact';
import { type Group, withoutBalls } from './leave';

/** Rows of a group at the layer that groups are made for, padding included; and rows of one call. */
const rowsPerGroup = 256;
const rowsPerCall = 640;

/** A neuron's row: +1 for its lower, -1 for its upper bound. */
type Side = 1 | -1;

/** As chunk.ts, for dense chains: every ball on the network of its own neurons that are not inactive. */
export function denseChunkOf(programs: Programs, chain: DenseChain, boxes: readonly Box[]): Chunk {
  const pass = forwardPass(programs, boxes);
  const { balls } = pass;
  const { layers } = chain;
  const radius = radiiOf(pass.lower, pass.upper);
  const bounds: NodeBounds[] = [];
  let groups: Group[] = [];
  const taken: Float32Array[] = [];
  const buffer = (size: number): Float32Array => {
    const array = programs.buffers.take(size);
    taken.push(array);
    return array;
  };

  /** Adds the layer, whose bounds are final, to the groups' networks. */
  const compact = async (k: number): Promise<void> => {
    const scale = await programs.scaledInput();
    for (const { balls, layers } of groups) {
      layers.push(
        k === 0
          ? await firstLayer(scale, chain, balls, bounds[0], radius, buffer)
          : nextLayer(chain, k, balls, bounds[k], layers[k - 1]),
      );
    }
  };

  /**
   * Lower bounds of rows of functionals of layer `k`, without their constants: per ball of the group a list, written by `fill` as
   * coefficients on the ReLUs of the layer before.
   */
  const bound = async (
    group: Group,
    k: number,
    counts: readonly number[],
    fill: (g: number, row: number, to: Float32Array, start: number) => void,
    take: (g: number, row: number, bound: number) => void,
  ): Promise<void> => {
    const most = Math.max(...counts);
    if (most === 0) return;
    const session = await programs.chain(k);
    const width = group.layers[k - 1].width + 1;
    const feeds = Object.assign({}, ...group.layers.slice(0, k).map((layer) => layer.feeds));
    const perBall = Math.max(1, Math.floor(rowsPerCall / counts.length));
    const scratch = programs.buffers.take(counts.length * Math.min(most, perBall) * width);
    for (let start = 0; start < most; start += perBall) {
      const rows = Math.min(perBall, most - start);
      // A call has read its inputs when it returns, so that the next may overwrite them.
      const coefficients = scratch.subarray(0, counts.length * rows * width).fill(0);
      for (const [g, count] of counts.entries()) {
        const own = Math.min(rows, count - start);
        for (let r = 0; r < own; r++) fill(g, start + r, coefficients, (g * rows + r) * width);
      }
      const out = await session.run({ ...feeds, rows: shapedTensor(coefficients, [counts.length, rows, width]) });
      for (const [g, count] of counts.entries()) {
        const own = Math.min(rows, count - start);
        for (let r = 0; r < own; r++) take(g, start + r, out.bound[g * rows + r]);
      }
    }
    programs.buffers.give(scratch);
  };

  /** Bounds one side of the neurons that are unstable so far, and keeps the better of both bounds. */
  const tighten = async (group: Group, k: number, side: Side): Promise<void> => {
    const { size, weight, bias } = layers[k];
    const { lower, upper, error } = bounds[k];
    const columns = weight.length / size;
    const unstable = group.balls.map((ball) => unstableNeurons(lower, upper, ball * size, size));
    const slack = group.balls.map((ball) => pass.underflow(ball));
    const alive = group.layers[k - 1].alive;
    await bound(
      group,
      k,
      unstable.map((list) => list.length),
      (g, row, to, start) => {
        const list = alive[g];
        const from = unstable[g][row] * columns;
        for (let i = 0; i < list.length; i++) to[start + i] = side * weight[from + list[i]];
      },
      (g, row, value) => {
        const j = unstable[g][row];
        const i = group.balls[g] * size + j;
        const proven = value + side * bias[j] - error[i] * errorInflation - slack[g];
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

  return {
    async propagate(after, left) {
      const inside = (ball: number): boolean => left?.[ball] !== 1;
      for (const [k, { node, relu }] of layers.entries()) {
        bounds[k] = await pass.forward(node);
        if (k === 0) {
          widenFirst(bounds[0], programs, chain);
        } else if (k === 1) {
          groups = groupsOf(bounds[1], [...Array(balls).keys()].filter(inside), layers[1].size);
          await compact(0);
        }
        if (k > 0 && relu !== undefined) {
          for (const group of groups) {
            // Most neurons turn out inactive: their lower bounds are not needed.
            await tighten(group, k, -1);
            await tighten(group, k, 1);
          }
        }
        if (relu === undefined) return;
        await after?.(relu, bounds[k]);
        if (left && everyone(left)) return;
        groups = groups.flatMap((group) => withoutBalls(group, inside));
        pass.place(relu, bounds[k]);
        if (k > 0) await compact(k);
      }
    },

    async boundOutputs(rows) {
      const k = layers.length - 1;
      const { weight, bias, size } = layers[k];
      const columns = weight.length / size;
      const { error } = bounds[k];
      const result = new Float64Array(rows.length);
      const ofBall = rowsByBall(rows, balls);
      for (const group of groups) {
        const lists = group.balls.map((ball) => ofBall[ball]);
        const alive = group.layers[k - 1].alive;
        await bound(
          group,
          k,
          lists.map((list) => list.length),
          (g, r, to, start) => {
            const { coefficients } = rows[lists[g][r]].row;
            for (let i = 0; i < alive[g].length; i++) {
              let sum = 0;
              for (let c = 0; c < size; c++) {
                if (coefficients[c] !== 0) sum += coefficients[c] * weight[c * columns + alive[g][i]];
              }
              to[start + i] = sum;
            }
          },
          (g, r, value) => {
            const { row } = rows[lists[g][r]];
            let constant = row.offset - pass.underflow(group.balls[g]) - Math.abs(row.offset) * 2 ** -50;
            for (let c = 0; c < size; c++) {
              constant += row.coefficients[c] * bias[c];
              // The error weight also holds the roundings of these sums.
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
      for (const array of taken.splice(0)) programs.buffers.give(array);
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
function radiiOf(lower: Float32Array, upper: Float32Array): Float32Array {
  const exact = new Float64Array(lower.length);
  for (let i = 0; i < exact.length; i++) {
    const centre = Math.fround((lower[i] + upper[i]) / 2);
    const reach = Math.max(upper[i] - centre, centre - lower[i]);
    // An unbounded box has no centre: nothing is proven from it.
    exact[i] = Number.isNaN(reach) ? Number.POSITIVE_INFINITY : reach;
  }
  return roundedInto(exact, new Float32Array(exact.length), 1);
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
function groupsOf({ lower, upper }: NodeBounds, balls: readonly number[], size: number): Group[] {
  const counts = new Int32Array(upper.length / size);
  for (let i = 0; i < upper.length; i++) if (lower[i] < 0 && upper[i] > 0) counts[Math.floor(i / size)]++;
  const order = [...balls].sort((a, b) => counts[a] - counts[b] || a - b);
  const groups: Group[] = [];
  for (let start = 0; start < order.length; ) {
    let end = start + 1;
    while (end < order.length && (end + 1 - start) * Math.max(8, counts[order[end]]) <= rowsPerGroup) end++;
    groups.push({ balls: order.slice(start, end), layers: [] });
    start = end;
  }
  return groups;
}

function unstableNeurons(lower: Float32Array, upper: Float32Array, start: number, size: number): Int32Array {
  const list = new Int32Array(size);
  let count = 0;
  for (let j = 0; j < size; j++) if (lower[start + j] < 0 && upper[start + j] > 0) list[count++] = j;
  return list.slice(0, count);
}

function rowsByBall(rows: readonly OutputRow[], balls: number): number[][] {
  const lists: number[][] = Array.from({ length: balls }, () => []);
  for (const [r, { ball }] of rows.entries()) lists[ball].push(r);
  return lists;
}
