import type { NodeId } from '../network/network';
import type { Box } from '../region/box';
import { roundDown, roundUp } from '../region/outward';
import type { HalfSpace } from '../region/violation';
import { forwardPass, type NodeBounds } from './forward-pass';
import type { Programs, Tables } from './programs';
import { errorInflation, type Relaxation, relax } from './relaxation';
import { gamma } from './rounding';
import { floatTensor, indexTensor } from './sessions';
import { type LayerLines, layerLines } from './windows/lines';
import { tightenByWindows } from './windows/tighten';

/** One row to bound: a functional of the outputs over one ball of the chunk. */
export interface OutputRow {
  readonly ball: number;
  readonly row: HalfSpace;
}

/** Asked after each ReLU's bounds are final, [balls, size] each. */
export type AfterLayer = (
  relu: NodeId,
  bounds: { readonly lower: Float32Array; readonly upper: Float32Array },
) => Promise<void>;

/** Balls that go through the bounds together, as rows of the same tables. */
export interface Chunk {
  /**
   * Bounds of every pre-activation, layer by layer, and the relaxations from them. Where `left`, [balls], becomes 1 for a ball while
   * `after` looks at a layer, only cheap bounds follow for it, or none at all where all have left.
   */
  propagate(after?: AfterLayer, left?: Uint8Array): Promise<void>;
  /** Lower bounds of functionals of the outputs over balls that have not left; needs `propagate` first. */
  boundOutputs(rows: readonly OutputRow[]): Promise<Float64Array>;
  /** Pre-activation bounds of a ReLU node, [balls, size]. */
  preActivation(relu: NodeId): { readonly lower: Float32Array; readonly upper: Float32Array };
  /** Gives back what the chunk holds; only `preActivation` may be asked afterwards. */
  release(): void;
}

export function chunkOf(programs: Programs, boxes: readonly Box[]): Chunk {
  const { network, relus } = programs;
  const balls = boxes.length;
  const tables: Tables = {};
  const pass = forwardPass(programs, boxes);
  const bounds = new Map<NodeId, NodeBounds>();
  const { windows } = programs;
  const lines = new Map<NodeId, LayerLines>();
  const box = { centre: new Float32Array(), radius: new Float32Array() };

  const placeInput = (): void => {
    const size = network.inputSize;
    const { lower, upper } = pass;
    const centre = new Float32Array(balls * size);
    const radius = new Float32Array(balls * size);
    const g = gamma(size + network.nodes.length + 8);
    for (let i = 0; i < centre.length; i++) {
      const c = Math.fround((lower[i] + upper[i]) / 2);
      centre[i] = c;
      const r = Math.max(upper[i] - c, c - lower[i]);
      // Covers the rounding of the dot products at the input; docs/soundness.md.
      radius[i] = roundUp(r * (1 + g) + g * Math.abs(c));
    }
    Object.assign(box, { centre, radius });
    tables.centre = floatTensor(centre, balls);
    tables.radius = floatTensor(radius, balls);
  };

  /** As tighten, for a convolution whose rows depend on a window only. */
  const tightenWindowed = async (node: NodeId, found: NodeBounds, left?: Uint8Array): Promise<void> => {
    const session = await programs.windowed(node);
    const own = windows!.of.get(node)!;
    await tightenByWindows(session, own, { lines, ...box }, found, pass, programs.tileBytes, programs.buffers, left);
  };

  /** Bounds unstable neurons by backward rows, tile by tile, and keeps the better of both bounds. */
  const tighten = async (node: NodeId, { lower, upper, error }: NodeBounds, left?: Uint8Array): Promise<void> => {
    const { size } = network.nodes[node];
    const unstable: number[] = [];
    for (let i = 0; i < lower.length; i++) {
      if (lower[i] < 0 && upper[i] > 0 && left?.[Math.floor(i / size)] !== 1) unstable.push(i);
    }
    if (unstable.length === 0) return;
    const session = await programs.backward(node, 'neurons');
    const feeds = programs.tablesFor(node, tables);
    // Two rows per neuron, one for each side.
    const perCall = Math.max(1, programs.rowsPerCall(node) >> 1);
    for (let start = 0; start < unstable.length; start += perCall) {
      const part = unstable.slice(start, start + perCall);
      const ball = new Int32Array(2 * part.length);
      const row = new Int32Array(2 * part.length);
      const sign = new Float32Array(2 * part.length);
      for (const [k, i] of part.entries()) {
        ball[2 * k] = ball[2 * k + 1] = Math.floor(i / size);
        row[2 * k] = row[2 * k + 1] = i % size;
        sign[2 * k] = 1;
        sign[2 * k + 1] = -1;
      }
      const { bound } = await session.run({
        ...feeds,
        ball: indexTensor(ball),
        row: indexTensor(row),
        sign: floatTensor(sign, sign.length),
      });
      for (const [k, i] of part.entries()) {
        const slack = error[i] * errorInflation + pass.underflow(ball[2 * k]);
        const below = roundDown(bound[2 * k] - slack);
        const above = roundUp(slack - bound[2 * k + 1]);
        if (below > lower[i]) lower[i] = below;
        if (above < upper[i]) upper[i] = above;
      }
    }
  };

  const place = (relu: NodeId, found: NodeBounds): void => {
    const terms = network.nodes[relu].size + network.nodes.length + 8;
    const layer = windows?.chain.find((layer) => layer.relu === relu);
    if (layer) {
      lines.set(relu, layerLines(layer.conv, found, windows!.largest + network.nodes.length + 16));
    }
    setRelaxation(tables, relu, relax(found.lower, found.upper, found.error, terms), balls);
    pass.place(relu, found);
  };

  return {
    async propagate(after, left) {
      placeInput();
      for (const relu of relus) {
        const node = network.nodes[relu];
        if (node.kind !== 'relu') continue;
        let found = bounds.get(node.from);
        if (found === undefined) {
          found = await pass.forward(node.from);
          if (windows?.of.has(node.from)) await tightenWindowed(node.from, found, left);
          else if (programs.segment(node.from).sources.some((id) => id !== 0)) {
            await tighten(node.from, found, left);
          }
          bounds.set(node.from, found);
        }
        await after?.(relu, found);
        if (left && everyone(left)) return;
        place(relu, found);
      }
      bounds.set(network.output, await pass.forward(network.output));
    },

    async boundOutputs(rows) {
      const { error } = bounds.get(network.output)!;
      const { classes, output } = network;
      const session = await programs.backward(output, 'free');
      const feeds = programs.tablesFor(output, tables);
      const result = new Float64Array(rows.length);
      const perCall = programs.rowsPerCall(output);
      for (let start = 0; start < rows.length; start += perCall) {
        const part = rows.slice(start, start + perCall);
        const ball = Int32Array.from(part, (row) => row.ball);
        const coefficients = new Float32Array(part.length * classes);
        for (const [k, { row }] of part.entries()) coefficients.set(row.coefficients, k * classes);
        const { bound } = await session.run({
          ...feeds,
          ball: indexTensor(ball),
          coefficients: floatTensor(coefficients, part.length),
        });
        for (const [k, { row }] of part.entries()) {
          let slack = pass.underflow(ball[k]);
          for (let c = 0; c < classes; c++) {
            const weight = error[ball[k] * classes + c] * errorInflation;
            // Coefficients that float32 cannot hold are off by a unit roundoff; the error weight holds many of them.
            slack += Math.abs(row.coefficients[c]) * weight;
          }
          const value = bound[k] + row.offset - slack - Math.abs(row.offset) * 2 ** -50;
          result[start + k] = Number.isFinite(value) ? value : Number.NEGATIVE_INFINITY;
        }
      }
      return result;
    },

    release() {},

    preActivation(relu) {
      const node = network.nodes[relu];
      if (node.kind !== 'relu') throw new TypeError(`node ${relu} is not a ReLU`);
      return bounds.get(node.from)!;
    },
  };
}

/** Whether all balls have left. */
export function everyone(left: Uint8Array): boolean {
  return !left.includes(0);
}

function setRelaxation(tables: Tables, relu: NodeId, relaxation: Relaxation, balls: number): void {
  tables[`ls${relu}`] = floatTensor(relaxation.lowerSlope, balls);
  tables[`us${relu}`] = floatTensor(relaxation.upperSlope, balls);
  tables[`li${relu}`] = floatTensor(relaxation.lowerIntercept, balls);
  tables[`ui${relu}`] = floatTensor(relaxation.upperIntercept, balls);
}
