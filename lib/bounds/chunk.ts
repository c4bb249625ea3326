import type { NodeId } from '../network/network';
import type { Box } from '../region/box';
import { fresh, type Lend, lender } from './buffers';
import { leastSlope } from './dense/lines';
import { emptyLists, type NeuronLists } from './dense/lists';
import { forwardPass, type Known, type NodeBounds } from './forward-pass';
import { boundOutputRows, groupsTensor, keepOpenRows, type OutputRows, openRows } from './output-rows';
import type { Programs } from './programs';
import { errorInflation, relax } from './relaxation';
import { keepRowBound } from './row-bound';
import { runsOf } from './rows';
import { floatTensor, indexTensor } from './sessions';
import { additionsOf, boxNames, dotRadii } from './source-box';
import { feedsOf, setBox, setLines, type Tables } from './tables';
import { type LayerLines, layerLines } from './windows/lines';
import { tightenByWindows } from './windows/tighten';

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
  /** Lower bounds of functionals of the outputs over each ball, -Infinity or poor ones of balls that have left; needs `propagate` first. */
  boundOutputs(rows: OutputRows): Promise<Float64Array[]>;
  /** Pre-activation bounds of a ReLU node, [balls, size]. */
  preActivation(relu: NodeId): { readonly lower: Float32Array; readonly upper: Float32Array };
  /** The boxes, [balls, inputSize]; see ForwardPass. */
  readonly input: { readonly centre: Float32Array; readonly radius: Float32Array };
  /** An array that holds until `release`, with whatever was in it before. */
  readonly lend: Lend;
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
  let isReleased = false;
  const { windows } = programs;
  const lines = new Map<NodeId, LayerLines>();
  /** Radii of the boxes for windows. */
  let radii: Float32Array | undefined;
  const everyBall = Array.from({ length: balls }, (_, ball) => ball);

  /** Coefficients are scaled by slopes, so that their underflow counts for more. */
  const underflow = (ball: number): number => pass.underflow(ball) / leastSlope;

  const placeInput = (): void => {
    setBox(tables, boxNames(network, 0), [pass.centre, pass.radius], network.inputSize, lend);
  };

  const placeLines = (to: Tables, relu: NodeId, found: NodeBounds, order: readonly number[]): void =>
    setLines(to, relu, found, programs.lineBase(relu), additionsOf(network), lend, order);

  /** As tighten, for a convolution whose rows depend on a window only. */
  const tightenWindowed = async (node: NodeId, found: NodeBounds, left?: Uint8Array): Promise<void> => {
    const session = await programs.windowed(node);
    const own = windows!.of.get(node)!;
    radii ??= dotRadii(network, pass, lend);
    const below = { lines, centre: pass.centre, radius: radii };
    await tightenByWindows(session, own, below, found, pass, programs.tileBytes, programs.buffers, left);
  };

  /** One side of unstable neurons by backward rows; keeps the better of both bounds. */
  const tightenSide = async (
    node: NodeId,
    { list, count, size }: NeuronLists,
    side: 1 | -1,
    found: NodeBounds,
  ): Promise<void> => {
    const session = await programs.backward(node, 'neurons');
    const names = programs.tableNames(node);
    const sign = floatTensor(Float32Array.of(side), 1);
    for (const run of runsOf(count, programs.rowsPerCall(node))) {
      const { first, balls, from, rows } = run;
      const row = new Int32Array(balls * rows);
      for (let b = 0; b < balls; b++) {
        const start = (first + b) * size;
        const last = count[first + b] - 1;
        for (let r = 0; r < rows; r++) row[b * rows + r] = list[start + Math.min(from + r, last)];
      }
      const feeds = { ...feedsOf(tables, names, first, balls), groups: groupsTensor(run), row: indexTensor(row), sign };
      const { bound } = await session.run(feeds);
      for (let b = 0; b < balls; b++) {
        const slack = underflow(first + b);
        const own = Math.min(rows, count[first + b] - from);
        for (let r = 0; r < own; r++) {
          const i = (first + b) * size + row[b * rows + r];
          const proven = bound[b * rows + r] - found.error[i] * errorInflation - slack;
          keepRowBound(found, i, side, proven);
        }
      }
    }
  };

  /** Bounds unstable neurons by backward rows: upper bounds first, since neurons that turn out inactive need no lower ones. */
  const tighten = async (node: NodeId, found: NodeBounds, left?: Uint8Array): Promise<void> => {
    const { size } = network.nodes[node];
    const { lower, upper } = found;
    const unstable = emptyLists(balls, size, lend);
    for (const side of [-1, 1] as const) {
      for (let b = 0; b < balls; b++) {
        let count = 0;
        for (let j = 0, i = b * size; left?.[b] !== 1 && j < size; j++, i++) {
          if (lower[i] < 0 && upper[i] > 0) unstable.list[b * size + count++] = j;
        }
        unstable.count[b] = count;
      }
      await tightenSide(node, unstable, side, found);
    }
  };

  /** Whether rows may improve on the interval step. */
  const tightenAny = async (node: NodeId, found: NodeBounds, left?: Uint8Array): Promise<boolean> => {
    if (windows?.of.has(node)) await tightenWindowed(node, found, left);
    else if (programs.segment(node).sources.some((id) => id !== 0)) await tighten(node, found, left);
    else return false;
    return true;
  };

  const place = (relu: NodeId, found: NodeBounds, isBetter: boolean): void => {
    const conv = effort === 'full' ? windows?.below.get(relu) : undefined;
    if (conv) {
      const terms = Math.max(conv.size, windows!.largest) + network.nodes.length + 16;
      lines.set(relu, layerLines(conv, relax(found.lower, found.upper, found.error, terms, lend)));
    }
    pass.place(relu, found, isBetter);
    // A rough pass has no rows before those of the outputs.
    if (effort === 'full') placeLines(tables, relu, found, everyBall);
  };

  /** What a program is told of the box of a node where rows end. */
  const boxAt = (stop: NodeId): readonly [Float32Array, Float32Array] => {
    const node = network.nodes[stop];
    if (node.kind !== 'relu') return [pass.centre, pass.radius];
    const { lower, upper } = bounds.get(node.from)!;
    return [lower, upper];
  };

  const boundRows = (rows: OutputRows, stop: NodeId, own: Tables, order: readonly number[]) => {
    const { error } = bounds.get(network.output)!;
    return boundOutputRows(programs, rows, { stop, tables: own, order, error, underflow });
  };

  /** Rows with tables of their own, for the balls that have some: those with as many go together. */
  const roughRows = async (rows: OutputRows, stop: NodeId): Promise<Float64Array[]> => {
    const order = everyBall.filter((ball) => rows[ball].length > 0).sort((a, b) => rows[a].length - rows[b].length);
    const own: Tables = {};
    for (const relu of relus) {
      const node = network.nodes[relu];
      if (relu > stop && node.kind === 'relu') placeLines(own, relu, bounds.get(node.from)!, order);
    }
    setBox(own, boxNames(network, stop), boxAt(stop), network.nodes[stop].size, lend, order);
    return boundRows(rows, stop, own, order);
  };

  return {
    async propagate(after, left) {
      if (effort === 'full') placeInput();
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
      if (effort === 'full') return boundRows(rows, 0, tables, everyBall);
      const { waist } = programs;
      if (waist === undefined) return roughRows(rows, 0);
      const found = await roughRows(rows, waist);
      const better = await roughRows(openRows(rows, found), 0);
      for (let ball = 0; ball < balls; ball++) keepOpenRows(found[ball], better[ball]);
      return found;
    },

    input: pass,
    lend,
    known: (kept) => pass.known(kept),

    release() {
      isReleased = true;
      giveBack();
    },

    preActivation(relu) {
      const node = network.nodes[relu];
      if (node.kind !== 'relu') throw new TypeError(`node ${relu} is not a ReLU`);
      if (isReleased && !keepBounds) throw new TypeError('bounds that were given back');
      return bounds.get(node.from)!;
    },
  };
}

/** Whether all balls have left. */
export function everyone(left: Uint8Array): boolean {
  return !left.includes(0);
}
