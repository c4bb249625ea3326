import type * as ort from 'onnxruntime-node';
import { type Network, type NodeId, reluNodes } from '../network/network';
import { emitBackward, type RowKind } from './backward';
import { type Buffers, buffers } from './buffers';
import type { Effort } from './chunk';
import { type DenseChain, denseChain } from './dense/chain';
import { emitChain, emitRoughInput, emitScaledInput, type RowStart } from './dense/program';
import { emitForward, productTerms } from './forward';
import { emitGradient, emitPreActivations, emitScores } from './gradient';
import { ancestors, type Segment, segmentOf } from './segments';
import { type Observer, type Session, sessionCache } from './sessions';
import { type ConvWindows, convWindows } from './windows/geometry';
import { emitWindows } from './windows/program';

/** The tables that a backward program gathers from, by input name: centre, radius, and four per ReLU. */
export type Tables = { [name: string]: ort.Tensor };

/** A network with its compiled programs and what they need to know of it. */
export interface Programs {
  readonly network: Network;
  readonly relus: readonly NodeId[];
  /** Rows of one backward call from the start node, so that a tile fits the cache. */
  rowsPerCall(start: NodeId): number;
  /** Balls whose tables fit the memory cap together. */
  readonly ballsPerCall: number;
  /** Most terms of a sum, for the underflow bound. */
  readonly mostTerms: number;
  segment(end: NodeId): Segment;
  forward(end: NodeId): Promise<Session>;
  backward(start: NodeId, rows: RowKind): Promise<Session>;
  /** The network as a dense chain, where it is one; its programs are those of dense/program.ts. */
  readonly dense: DenseChain | undefined;
  readonly buffers: Buffers;
  chain(level: number, start: RowStart, effort: Effort): Promise<Session>;
  scaledInput(): Promise<Session>;
  roughInput(): Promise<Session>;
  /** Windows of the convolutions that the network begins with, where that saves work; their programs are those of windows/program.ts. */
  readonly windows: ConvWindows | undefined;
  windowed(start: NodeId): Promise<Session>;
  readonly tileBytes: number;
  /** Scores and gradients at points; see gradient.ts. */
  gradient(): Promise<Session>;
  /** Scores at points; see gradient.ts. */
  scores(): Promise<Session>;
  /** What ReLUs read at points; see gradient.ts. */
  preActivations(): Promise<Session>;
  /** The tables that a backward pass from the start node reads, picked from all. */
  tablesFor(start: NodeId, tables: Tables): Tables;
  release(): Promise<void>;
}

export interface ProgramOptions {
  readonly threads: number;
  readonly tileBytes: number;
  readonly memoryBytes: number;
  readonly observe?: Observer | undefined;
}

/** Live buffers of a backward tile and of a ball's tables: what ONNX Runtime's arena was seen to hold at the same time. */
const buffersPerTile = 10;

export function programsOf(network: Network, options: ProgramOptions): Programs {
  const sessions = sessionCache(options.threads, options.observe);
  const relus = reluNodes(network);
  const dense = denseChain(network);
  const windows = convWindows(network);
  const segments = new Map<NodeId, Segment>();
  const names = new Map<NodeId, string[]>();
  const segment = (end: NodeId): Segment => {
    let found = segments.get(end);
    if (found === undefined) {
      found = segmentOf(network, end);
      segments.set(end, found);
    }
    return found;
  };
  const tableNames = (start: NodeId): string[] => {
    let found = names.get(start);
    if (found === undefined) {
      found = ancestors(network, start).flatMap((id) => {
        const { kind } = network.nodes[id];
        if (kind === 'input') return ['centre', 'radius'];
        return kind === 'relu' ? ['ls', 'us', 'li', 'ui'].map((table) => `${table}${id}`) : [];
      });
      names.set(start, found);
    }
    return found;
  };
  // Per ball: bounds, error and four tables per ReLU, five vectors of the input, and the forward pass's intermediates.
  const floatsPerBall =
    relus.reduce((sum, id) => sum + 9 * network.nodes[id].size, 0) +
    network.nodes.reduce((sum, node) => sum + 5 * node.size, 0) +
    // The weights of a compacted network, at most those of the network twice.
    (dense ? 2 * dense.layers.reduce((sum, { weight }) => sum + weight.length, 0) : 0);
  const ballsPerCall = Math.max(1, Math.floor(options.memoryBytes / 2 / (4 * floatsPerBall)));
  return {
    network,
    relus,
    ballsPerCall,
    mostTerms: network.nodes.reduce((most, _, id) => Math.max(most, productTerms(network, id)), 1),
    rowsPerCall(start) {
      const width = ancestors(network, start).reduce((most, id) => Math.max(most, network.nodes[id].size), 1);
      const cached = Math.floor(options.tileBytes / (4 * width));
      const allowed = Math.floor(options.memoryBytes / 2 / (4 * width * buffersPerTile));
      return Math.max(1, Math.min(Math.max(cached, 16), allowed));
    },
    segment,
    forward: (end) => sessions.get(`forward ${end}`, () => emitForward(network, segment(end))),
    backward: (start, rows) => sessions.get(`backward ${start} ${rows}`, () => emitBackward(network, start, rows)),
    dense,
    buffers: buffers(),
    chain: (level, start, effort) =>
      sessions.get(`chain ${level} ${start} ${effort}`, () => emitChain(level, start, effort)),
    scaledInput: () => sessions.get('scaled', () => emitScaledInput(dense!.layers[0].weight, dense!.layers[0].size)),
    roughInput: () => sessions.get('rough', () => emitRoughInput(dense!.layers[0].weight, dense!.layers[0].size)),
    windows,
    windowed: (start) => sessions.get(`windows ${start}`, () => emitWindows(windows!.of.get(start)!)),
    tileBytes: options.tileBytes,
    gradient: () => sessions.get('gradient', () => emitGradient(network)),
    scores: () => sessions.get('forward scores', () => emitScores(network)),
    preActivations: () => sessions.get('forward pre', () => emitPreActivations(network)),
    tablesFor(start, tables) {
      const picked: Tables = {};
      for (const name of tableNames(start)) picked[name] = tables[name];
      return picked;
    },
    release: () => sessions.release(),
  };
}
