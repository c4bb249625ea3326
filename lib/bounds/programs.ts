import { inputsOf, type Network, type NodeId, reluNodes } from '../network/network';
import { emitBackward, mergesBias, type RowKind } from './backward';
import { type Buffers, buffers } from './buffers';
import type { Effort } from './chunk';
import { type DenseChain, denseChain } from './dense/chain';
import { emitCentre, emitSlopes } from './dense/outlook';
import { emitChain, emitRoughInput, type RowStart } from './dense/program';
import { type Workspace, workspacesOf } from './dense/workspace';
import { emitForward, productTerms } from './forward';
import { emitGradient, emitPreActivations } from './gradient';
import { ancestors, consumerCounts, type Segment, segmentOf } from './segments';
import { type Observer, type Session, sessionCache } from './sessions';
import { boxNames } from './source-box';
import { type ConvWindows, convWindows } from './windows/geometry';
import { emitWindows } from './windows/program';

/** A network with its compiled programs and what they need to know of it. */
export interface Programs {
  readonly network: Network;
  readonly relus: readonly NodeId[];
  /** A ReLU that rows of the outputs may stop at in a first try; undefined where there is none that saves much. */
  readonly waist: NodeId | undefined;
  /** Rows of one backward call from the start node, so that a tile fits the cache. */
  rowsPerCall(start: NodeId, stop?: NodeId): number;
  /** Balls whose tables fit the memory cap together. */
  readonly ballsPerCall: number;
  /** Most terms of a sum, for the underflow bound. */
  readonly mostTerms: number;
  segment(end: NodeId): Segment;
  forward(end: NodeId): Promise<Session>;
  /** Whether the forward program of a segment also gives values at the centres. */
  needsCentre(end: NodeId): boolean;
  backward(start: NodeId, rows: RowKind, stop?: NodeId): Promise<Session>;
  /** The network as a dense chain, where it is one; its programs are those of dense/program.ts. */
  readonly dense: DenseChain | undefined;
  /** Where balls are bounded as those of a dense chain; undefined where they are not. For one chunk: the next one may get a larger one. */
  workspace(): Workspace | undefined;
  /** Of chunks without a workspace. */
  readonly buffers: Buffers;
  chain(level: number, start: RowStart, effort: Effort): Promise<Session>;
  roughInput(): Promise<Session>;
  /** Those of dense/outlook.ts. */
  centre(): Promise<Session>;
  slopes(): Promise<Session>;
  /** Windows of the convolutions that the network begins with, where that saves work; their programs are those of windows/program.ts. */
  readonly windows: ConvWindows | undefined;
  windowed(start: NodeId): Promise<Session>;
  readonly tileBytes: number;
  /** Scores and gradients at points; see gradient.ts. */
  gradient(): Promise<Session>;
  /** What ReLUs read at points; see gradient.ts. */
  preActivations(): Promise<Session>;
  /** The tables that a backward pass from the start node reads, by input name. */
  tableNames(start: NodeId, stop?: NodeId): readonly string[];
  /** What the constants of a ReLU's lines begin with, [size]: the bias, where backward passes leave it to them. */
  lineBase(relu: NodeId): Float32Array;
  release(): Promise<void>;
}

export interface ProgramOptions {
  readonly threads: number;
  readonly tileBytes: number;
  readonly memoryBytes: number;
  readonly observe?: Observer | undefined;
}

/** Live buffers of a backward tile: what ONNX Runtime's arena was seen to hold at the same time, and half as many more for the largest calls. */
const buffersPerTile = 15;

export function programsOf(network: Network, options: ProgramOptions): Programs {
  const sessions = sessionCache(options.threads, options.observe);
  const relus = reluNodes(network);
  const dense = denseChain(network);
  const windows = convWindows(network);
  const segments = new Map<NodeId, Segment>();
  const names = new Map<string, string[]>();
  const bases = new Map<NodeId, Float32Array>();
  const readers = consumerCounts(network);
  const segment = (end: NodeId): Segment => {
    let found = segments.get(end);
    if (found === undefined) {
      found = segmentOf(network, end);
      segments.set(end, found);
    }
    return found;
  };
  // Chains meet the input with values at its centre.
  const needsCentre = (end: NodeId): boolean => dense?.layers[0].node === end;
  const tableNames = (start: NodeId, stop: NodeId = 0): string[] => {
    const key = `${start} ${stop}`;
    let found = names.get(key);
    if (found === undefined) {
      found = ancestors(network, start).flatMap((id) => {
        const { kind } = network.nodes[id];
        if (id === stop) return boxNames(network, id);
        if (id < stop) return [];
        return kind === 'relu' ? ['scale', 'ratio', 'shift', 'bend'].map((table) => `${table}${id}`) : [];
      });
      names.set(key, found);
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
    waist: waistOf(network),
    ballsPerCall,
    mostTerms: network.nodes.reduce((most, _, id) => Math.max(most, productTerms(network, id)), 1),
    rowsPerCall(start, stop = 0) {
      const nodes = ancestors(network, start).filter((id) => id >= stop);
      const width = nodes.reduce((most, id) => Math.max(most, network.nodes[id].size), 1);
      const cached = Math.floor(options.tileBytes / (4 * width));
      const allowed = Math.floor(options.memoryBytes / 2 / (4 * width * buffersPerTile));
      return Math.max(1, Math.min(Math.max(cached, 16), allowed));
    },
    segment,
    forward: (end) => sessions.get(`forward ${end}`, () => emitForward(network, segment(end), needsCentre(end))),
    needsCentre,
    backward: (start, rows, stop = 0) =>
      sessions.get(`backward ${start} ${rows} ${stop}`, () => emitBackward(network, start, rows, stop)),
    dense,
    workspace: dense?.isScalable ? workspacesOf(dense, options.memoryBytes / 2) : () => undefined,
    buffers: buffers(),
    chain: (level, start, effort) =>
      sessions.get(`chain ${level} ${start} ${effort}`, () => emitChain(level, start, effort)),
    roughInput: () => sessions.get('rough', () => emitRoughInput(dense!.layers[0].weight, dense!.layers[0].size)),
    centre: () => sessions.get('forward centre', () => emitCentre(dense!)),
    slopes: () => sessions.get('slopes', () => emitSlopes(dense!)),
    windows,
    windowed: (start) => sessions.get(`windows ${start}`, () => emitWindows(windows!.of.get(start)!)),
    tileBytes: options.tileBytes,
    gradient: () => sessions.get('gradient', () => emitGradient(network)),
    preActivations: () => sessions.get('forward pre', () => emitPreActivations(network)),
    tableNames,
    lineBase(relu) {
      let found = bases.get(relu);
      if (found === undefined) {
        found = baseOf(network, readers, relu);
        bases.set(relu, found);
      }
      return found;
    },
    release: () => sessions.release(),
  };
}

/** The bias of what the ReLU reads, where `mergesBias`; else 0. */
function baseOf(network: Network, readers: Uint32Array, relu: NodeId): Float32Array {
  const node = network.nodes[relu];
  const base = new Float32Array(node.size);
  const from = node.kind === 'relu' && mergesBias(network, readers, node.from) ? network.nodes[node.from] : undefined;
  if (from?.kind === 'dense' || from?.kind === 'conv') {
    const repeat = from.size / from.bias.length;
    for (let j = 0; j < base.length; j++) base[j] = from.bias[Math.floor(j / repeat)];
  }
  return base;
}

/**
 * The last convolution's ReLU, where all paths from the input to the output pass it and further ReLUs follow: what is above takes a small part of the
 * work, and intervals of the convolutions' neurons are nearly as good as rows while balls are small.
 */
function waistOf(network: Network): NodeId | undefined {
  let isLast = true;
  for (const id of reluNodes(network).reverse()) {
    const node = network.nodes[id];
    if (node.kind !== 'relu' || network.nodes[node.from].kind !== 'conv') {
      isLast = false;
      continue;
    }
    const around = network.nodes.some((other, i) => i > id && inputsOf(other).some((from) => from < id));
    return isLast || around ? undefined : id;
  }
  return undefined;
}
