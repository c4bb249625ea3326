import type * as ort from 'onnxruntime-node';
import type { BoundQuery } from '../bounder';
import type { ChainLayer, DenseChain } from '../dense/chain';
import { type ForwardPass, forwardPass, type NodeBounds } from '../forward-pass';
import type { Programs } from '../programs';
import { errorInflation } from '../relaxation';
import { underflowUnit } from '../rounding';
import { keepRowBound } from '../row-bound';
import { type SessionCache, sessionCache, shapedTensor } from '../sessions';
import { dotRadii } from '../source-box';
import { type JointLayer, jointLayer } from './lines';
import { emitOwn, emitShared } from './program';

/** Bounds of many similar balls by the same rows (docs/soundness.md, "Joint bounds"). */
export interface JointBounder {
  /** Whether it knows the network's kind: a chain of dense layers that is not too deep for its error terms. */
  readonly applies: boolean;
  /**
   * Lower bounds of the rows of each query over its box, proven as Bounder.bound's are, and weaker: neurons are bounded with the same slopes for
   * all. -Infinity where nothing finite was proven. The more alike the balls are, the better and the faster.
   */
  bound(queries: readonly BoundQuery[]): Promise<Float64Array[]>;
  release(): Promise<void>;
}

/** Layers whose additions to a row's constant the error weights surely count. */
const mostLayers = 16;
/** Rows of one call, so that coefficients on 784 inputs stay in the cache. */
const rowsPerCall = 160;

/** @param makeLayer is another one only in tests of what wrong lines would do */
export function createJointBounder(programs: Programs, makeLayer: typeof jointLayer = jointLayer): JointBounder {
  const sessions = sessionCache(1);
  const chain = programs.dense;
  return {
    applies: chain !== undefined && chain.layers.length <= mostLayers,
    async bound(queries) {
      if (chain === undefined || chain.layers.length > mostLayers)
        throw new TypeError('no joint bounds for this network');
      return queries.length === 0 ? [] : pass(programs, chain, sessions, queries, makeLayer);
    },
    release: () => sessions.release(),
  };
}

type Feeds = { [name: string]: ort.Tensor };

async function pass(
  programs: Programs,
  chain: DenseChain,
  sessions: SessionCache,
  queries: readonly BoundQuery[],
  makeLayer: typeof jointLayer,
): Promise<Float64Array[]> {
  const forward = forwardPass(
    programs,
    queries.map(({ box }) => box),
  );
  const members = queries.length;
  const inputs = chain.inputSize;
  const { centre } = forward;
  const radius = dotRadii(programs.network, forward);
  const shared: Feeds = {
    centre: shapedTensor(centre, [members, inputs]),
    radius: shapedTensor(radius, [members, inputs]),
  };
  const own: Feeds = {
    centre: shapedTensor(centre, [members, inputs, 1]),
    radius: shapedTensor(radius, [members, inputs, 1]),
  };
  let before: Int32Array | undefined;
  const last = chain.layers.length - 1;
  const lost = lostConstants(chain);
  for (const [k, layer] of chain.layers.entries()) {
    const bounds = await forward.forward(layer.node);
    if (before !== undefined && k < last) {
      const session = await sessions.get(`shared ${k}`, () => emitShared(k));
      const run = async (rows: ort.Tensor) => (await session.run({ ...shared, rows })).bound;
      // Most neurons turn out inactive: their lower bounds are not needed.
      for (const side of [-1, 1] as const) await tighten(run, forward, layer, before, bounds, side, lost);
    }
    if (k === last || layer.relu === undefined) {
      const session = await sessions.get(`own ${k}`, () => emitOwn(k));
      const run = async (rows: ort.Tensor) => (await session.run({ ...own, rows })).bound;
      return outputs(run, forward, layer, before!, bounds, queries, lost);
    }
    const lines = makeLayer(chain, k, bounds);
    addLayer(shared, own, layer, k, members, lines, before ?? inputs);
    forward.place(layer.relu, bounds, k > 0);
    before = lines.alive;
  }
  throw new TypeError('a chain ends with its outputs');
}

/** One side of the neurons that are unstable on some member so far; every member keeps the better of both its bounds. */
async function tighten(
  run: (rows: ort.Tensor) => Promise<Float32Array>,
  forward: ForwardPass,
  { size, weight, bias }: ChainLayer,
  before: Int32Array,
  found: NodeBounds,
  side: 1 | -1,
  lost: number,
): Promise<void> {
  const { lower, upper, error } = found;
  const unstable = unstableOnSome(lower, upper, size);
  const columns = weight.length / size;
  const members = lower.length / size;
  const slack = Float64Array.from({ length: members }, (_, i) => forward.underflow(i) + lost);
  for (let start = 0; start < unstable.length; start += rowsPerCall) {
    const part = unstable.subarray(start, start + rowsPerCall);
    const rows = new Float32Array(part.length * before.length);
    for (let r = 0, at = 0; r < part.length; r++) {
      const from = part[r] * columns;
      for (let i = 0; i < before.length; i++) rows[at++] = side * weight[from + before[i]];
    }
    const bound = await run(shapedTensor(rows, [part.length, before.length]));
    for (let r = 0; r < part.length; r++) {
      const j = part[r];
      for (let m = 0; m < members; m++) {
        const i = m * size + j;
        const proven = bound[r * members + m] + side * bias[j] - error[i] * errorInflation - slack[m];
        keepRowBound(found, i, side, proven);
      }
    }
  }
}

/** Each member's rows with its own slopes. Queries with fewer rows are padded with zeros. */
async function outputs(
  run: (rows: ort.Tensor) => Promise<Float32Array>,
  forward: ForwardPass,
  { size, weight, bias }: ChainLayer,
  before: Int32Array,
  { error }: NodeBounds,
  queries: readonly BoundQuery[],
  lost: number,
): Promise<Float64Array[]> {
  const most = queries.reduce((longest, { rows }) => Math.max(longest, rows.length), 1);
  const columns = weight.length / size;
  const width = before.length;
  const rows = new Float32Array(queries.length * most * width);
  /** By coefficients: members of a label share their rows. */
  const made = new Map<string, Float32Array>();
  for (const [m, query] of queries.entries()) {
    for (const [r, row] of query.rows.entries()) {
      const key = row.coefficients.join();
      let own = made.get(key);
      if (own === undefined) {
        own = Float32Array.from(before, (i) => combined(row.coefficients, weight, columns, i));
        made.set(key, own);
      }
      rows.set(own, (m * most + r) * width);
    }
  }
  const bound = await run(shapedTensor(rows, [queries.length, most, width]));
  return queries.map((query, m) =>
    Float64Array.from(query.rows, ({ coefficients, offset }, r) => {
      let constant = offset - forward.underflow(m) - lost - Math.abs(offset) * 2 ** -50;
      for (let c = 0; c < size; c++) {
        constant += coefficients[c] * bias[c];
        // The error weight also holds the roundings of the sums that made the row.
        constant -= Math.abs(coefficients[c]) * error[m * size + c] * errorInflation;
      }
      const total = bound[m * most + r] + constant;
      return Number.isFinite(total) ? total : Number.NEGATIVE_INFINITY;
    }),
  );
}

/** Column `i` of coefficients . weight. */
function combined(coefficients: Float64Array, weight: Float32Array, columns: number, i: number): number {
  let sum = 0;
  for (let c = 0; c < coefficients.length; c++) {
    if (coefficients[c] !== 0) sum += coefficients[c] * weight[c * columns + i];
  }
  return sum;
}

/** What the terms of a row's constant may lose to underflow: three of each neuron, and two of each input. */
function lostConstants({ layers, inputSize }: DenseChain): number {
  return underflowUnit * 4 * layers.reduce((sum, { size }) => sum + size + 1, inputSize);
}

function unstableOnSome(lower: Float32Array, upper: Float32Array, size: number): Int32Array {
  const list = new Int32Array(size);
  let count = 0;
  for (let j = 0; j < size; j++) {
    for (let i = j; i < lower.length; i += size) {
      if (!(lower[i] < 0 && upper[i] > 0)) continue;
      list[count++] = j;
      break;
    }
  }
  return list.slice(0, count);
}

/** The layer's lines, and its weights without the columns of neurons that are inactive on all members. */
function addLayer(
  shared: Feeds,
  own: Feeds,
  { weight, bias, size }: ChainLayer,
  k: number,
  members: number,
  lines: JointLayer,
  before: Int32Array | number,
): void {
  const { alive } = lines;
  const m = alive.length;
  const columns = weight.length / size;
  const width = typeof before === 'number' ? before : before.length;
  const matrix = new Float32Array(m * width);
  for (let r = 0; r < m; r++) {
    const from = alive[r] * columns;
    if (typeof before === 'number') matrix.set(weight.subarray(from, from + columns), r * width);
    else for (let i = 0; i < width; i++) matrix[r * width + i] = weight[from + before[i]];
  }
  const w = shapedTensor(matrix, [m, width]);
  const b = shapedTensor(
    Float32Array.from(alive, (j) => bias[j]),
    [m, 1],
  );
  Object.assign(shared, {
    [`w${k}`]: w,
    [`b${k}`]: b,
    [`ls${k}`]: shapedTensor(lines.lowerSlope, [1, m]),
    [`us${k}`]: shapedTensor(lines.upperSlope, [1, m]),
    [`li${k}`]: shapedTensor(lines.lowerIntercept, [members, m]),
    [`ui${k}`]: shapedTensor(lines.upperIntercept, [members, m]),
  });
  Object.assign(own, {
    [`w${k}`]: w,
    [`b${k}`]: b,
    [`ls${k}`]: shapedTensor(lines.own.lowerSlope, [members, 1, m]),
    [`us${k}`]: shapedTensor(lines.own.upperSlope, [members, 1, m]),
    [`li${k}`]: shapedTensor(lines.own.lowerIntercept, [members, m, 1]),
    [`ui${k}`]: shapedTensor(lines.own.upperIntercept, [members, m, 1]),
  });
}
