/**
 * The normal form of a network: a directed acyclic graph of affine maps, ReLU and addition (docs/engine.md, section 7).
 * Every tensor is one vector without a batch dimension, row-major in the shape that `shape` gives. Weights are kept in
 * float64 so that folding (batch normalisation, constant arithmetic) loses nothing that matters; weights that come
 * unfolded from a float32 model are exact.
 */
export type Shape = readonly number[];

/** Index into `Network.nodes`; a node's inputs always have smaller ids (topological order). */
export type NodeId = number;

interface NodeBase {
  /** Name of the ONNX tensor (or of the part of a decomposition) that this node computes; for messages. */
  readonly name: string;
  /** Shape without the batch dimension; the product is `size`. */
  readonly shape: Shape;
  readonly size: number;
}

export interface InputNode extends NodeBase {
  readonly kind: 'input';
}

/** out = weight . in + bias; weight is [size, inSize] row-major. */
export interface DenseNode extends NodeBase {
  readonly kind: 'dense';
  readonly from: NodeId;
  readonly weight: Float64Array;
  readonly bias: Float64Array;
  /** Bound of the relative errors that folding left in weights and biases; see folding.ts. */
  readonly foldError?: number;
}

/** 2-D convolution (cross-correlation, as in ONNX); in and out are [channels, height, width]. */
export interface ConvNode extends NodeBase {
  readonly kind: 'conv';
  readonly from: NodeId;
  /** [outChannels, inChannels / groups, kernelHeight, kernelWidth] */
  readonly weight: Float64Array;
  /** [outChannels] */
  readonly bias: Float64Array;
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  /** top, left, bottom, right (the order of ONNX) */
  readonly pads: readonly [number, number, number, number];
  readonly dilations: readonly [number, number];
  readonly groups: number;
  readonly inShape: readonly [number, number, number];
  readonly outShape: readonly [number, number, number];
  /** Bound of the relative errors that folding left in weights and biases; see folding.ts. */
  readonly foldError?: number;
}

/**
 * out[i] = scale[i] * in[index[i]] + bias[i], and out[i] = bias[i] where index[i] is -1. Covers transposition, slices,
 * padding, concatenation (with add), and elementwise constant arithmetic. Absent scale is 1, absent bias is 0.
 */
export interface SelectNode extends NodeBase {
  readonly kind: 'select';
  readonly from: NodeId;
  readonly index: Int32Array;
  readonly scale?: Float64Array;
  readonly bias?: Float64Array;
  /** Bound of the relative errors that folding left in weights and biases; see folding.ts. */
  readonly foldError?: number;
}

/** Elementwise sum of two or more nodes of equal size. */
export interface AddNode extends NodeBase {
  readonly kind: 'add';
  readonly from: readonly NodeId[];
}

export interface ReluNode extends NodeBase {
  readonly kind: 'relu';
  readonly from: NodeId;
}

export type NetworkNode = InputNode | DenseNode | ConvNode | SelectNode | AddNode | ReluNode;

export interface Network {
  /** Topological order; node 0 is the input. */
  readonly nodes: readonly NetworkNode[];
  /** The node whose value is the vector of class scores. */
  readonly output: NodeId;
  /** Shape of the model's input without its batch dimension, as the ONNX file declares it. */
  readonly inputShape: Shape;
  readonly inputSize: number;
  readonly classes: number;
}

/** The ids a node reads. */
export function inputsOf(node: NetworkNode): readonly NodeId[] {
  if (node.kind === 'input') return [];
  return node.kind === 'add' ? node.from : [node.from];
}

/** Ids of the ReLU nodes in topological order. */
export function reluNodes(network: Network): NodeId[] {
  return network.nodes.flatMap((node, id) => (node.kind === 'relu' ? [id] : []));
}
