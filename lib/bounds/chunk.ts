import type { NodeId } from '../network/network';
import type { Box } from '../region/box';
import type { HalfSpace } from '../region/violation';
import { fresh, lender } from './buffers';
import { dotBox, forwardPass, type Known, type NodeBounds } from './forward-pass';
import type { Programs, Tables } from './programs';
import { errorInflation, type Relaxation, relax } from './relaxation';
import { above, below } from './rounding';
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

/**
 * How much is done for pre-activation bounds. `full`: backward rows for every neuron that is unstable so far. `rough`: what costs a fraction of
 * that; no rows at all, or in dense chains rows without their products with the input.
 */
export type Effort = 'rough' | 'full';

export interface ChunkOptions {
  readonly effort: Effort;
  /** From an earlier pass over the same boxes; its bounds are changed. */
  readonly known?: Known;
  /** Whether `preActivation` may still be asked, and what it said be used, after `release`. */
  readonly keepBounds: boolean;
}

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
  /** What was found of some of the balls, for a better pass over them. */
  known(balls: readonly number[]): Known;
  /** Gives back what the chunk holds; only `preActivation` may be asked afterwards. */
  release(): void;
}

export function chunkOf(
  programs: Programs,
  boxes: readonly Box[],
  { effort, known, keepBounds }: ChunkOptions = { effort: 'full', keepBounds: true },
): Chunk {
  const { network, relus } = programs;
  const balls = boxes.length;
  const tables: Tables = {};
  const { lend, giveBack } = lender(programs.buffers);
  const pass = forwardPass(programs, boxes, lend, keepBounds ? fresh : lend, known);
  const bounds = new Map<NodeId, NodeBounds>();
  const tightened = new Set<NodeId>();
  const { windows } = programs;
  const lines = new Map<NodeId, LayerLines>();
  let box: ReturnType<typeof dotBox> | undefined;

  const placeInput = (): void => {
    box = dotBox(network, pass, lend);
    tables.centre = floatTensor(box.centre, balls);
    tables.radius = floatTensor(box.radius, balls);
  };

  /** As tighten, for a convolution whose rows depend on a window only. */
  const tightenWindowed = async (node: NodeId, found: NodeBounds, left?: Uint8Array): Promise<void> => {
    const session = await programs.windowed(node);
    const own = windows!.of.get(node)!;
    await tightenByWindows(session, own, { lines, ...box! }, found, pass, programs.tileBytes, programs.buffers, left);
  };

  /** One side of neurons of the tables by backward rows, tile by tile; keeps the better of both bounds. */
  const tightenSide = async (
    node: NodeId,
    neurons: Int32Array,
    side: 1 | -1,
    { lower, upper, error }: NodeBounds,
  ): Promise<void> => {
    if (neurons.length === 0) return;
    const { size } = network.nodes[node];
    const session = await programs.backward(node, 'neurons');
    const feeds = programs.tablesFor(node, tables);
    const perCall = programs.rowsPerCall(node);
    for (let start = 0; start < neurons.length; start += perCall) {
      const part = neurons.subarray(start, start + perCall);
      const ball = part.map((i) => Math.floor(i / size));
      const { bound } = await session.run({
        ...feeds,
        ball: indexTensor(ball),
        row: indexTensor(part.map((i) => i % size)),
        sign: floatTensor(new Float32Array(part.length).fill(side), part.length),
      });
      for (const [k, i] of part.entries()) {
        const proven = bound[k] - error[i] * errorInflation - pass.underflow(ball[k]);
        // Comparisons with NaN are false: then the interval step's bound stays.
        if (side === 1) {
          const least = below(proven);
          if (least > lower[i]) lower[i] = least;
        } else {
          const most = above(-proven);
          if (most < upper[i]) upper[i] = most;
        }
      }
    }
  };

  /** Bounds unstable neurons by backward rows: upper bounds first, since neurons that turn out inactive need no lower ones. */
  const tighten = async (node: NodeId, found: NodeBounds, left?: Uint8Array): Promise<void> => {
    const { size } = network.nodes[node];
    const { lower, upper } = found;
    const unstable: number[] = [];
    for (let i = 0; i < lower.length; i++) {
      if (lower[i] < 0 && upper[i] > 0 && left?.[Math.floor(i / size)] !== 1) unstable.push(i);
    }
    const neurons = Int32Array.from(unstable);
    await tightenSide(node, neurons, -1, found);
    await tightenSide(
      node,
      neurons.filter((i) => upper[i] > 0),
      1,
      found,
    );
  };

  /** Whether rows may improve on the interval step. */
  const tightenAny = async (node: NodeId, found: NodeBounds, left?: Uint8Array): Promise<boolean> => {
    if (windows?.of.has(node)) await tightenWindowed(node, found, left);
    else if (programs.segment(node).sources.some((id) => id !== 0)) await tighten(node, found, left);
    else return false;
    return true;
  };

  const place = (relu: NodeId, found: NodeBounds, isBetter: boolean): void => {
    const { size } = network.nodes[relu];
    const terms = Math.max(size, windows?.largest ?? 0) + network.nodes.length + 16;
    const relaxation = relax(found.lower, found.upper, found.error, terms, lend);
    const conv = effort === 'full' ? windows?.below.get(relu) : undefined;
    if (conv) lines.set(relu, layerLines(conv, relaxation));
    setRelaxation(tables, relu, relaxation, balls);
    pass.place(relu, found, isBetter);
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
          // A rough pass leaves it at the interval step.
          if (effort === 'full' && (await tightenAny(node.from, found, left))) tightened.add(node.from);
          bounds.set(node.from, found);
        }
        await after?.(relu, found);
        if (left && everyone(left)) return;
        place(relu, found, tightened.has(node.from));
      }
      bounds.set(network.output, await pass.forward(network.output));
    },

    async boundOutputs(rows) {
      const { error } = bounds.get(network.output)!;
      const { classes, output } = network;
      const session = await programs.backward(output, 'free');
      const feeds = programs.tablesFor(output, tables);
      const result = new Float64Array(rows.length).fill(Number.NEGATIVE_INFINITY);
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

    known: (kept) => pass.known(kept),

    release: giveBack,

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
