import { type ConvNode, type Network, type NodeId, reluNodes } from '../../network/network';

/** A convolution of the chain, and the ReLU that reads it (undefined for the output). */
export interface ConvLayer {
  readonly id: NodeId;
  readonly relu: NodeId;
  readonly conv: ConvNode;
}

/**
 * What one neuron reads of a layer below it (or of the input), for every position of the neuron: the rectangle of `height` x `width` places,
 * all channels, that begins at (y, x) * stride - offset. Places outside the layer exist as far as windows are concerned; what they hold is 0.
 */
export interface Window {
  readonly shape: readonly [channels: number, height: number, width: number];
  readonly stride: readonly [number, number];
  readonly offset: readonly [number, number];
  readonly size: number;
  /** [positions, size]: place of each element in the layer, -1 where it is outside. */
  readonly index: Int32Array;
}

/** The windows of one convolution's neurons, on every layer below it. */
export interface Windows {
  readonly layer: ConvLayer;
  /** Positions of a neuron: height x width of the convolution's output. */
  readonly positions: number;
  /** On the ReLUs below, from the nearest to that of the first layer. */
  readonly below: readonly { readonly layer: ConvLayer; readonly window: Window }[];
  readonly input: Window;
}

/** All windows of a network, by the convolution that they belong to. */
export interface ConvWindows {
  readonly of: ReadonlyMap<NodeId, Windows>;
  /** Convolutions that have a window of another on their ReLU, by the ReLU. */
  readonly below: ReadonlyMap<NodeId, ConvNode>;
  /** Elements of the largest window on a ReLU. */
  readonly largest: number;
}

/** Entries of the largest matrix between two windows. */
const largestMatrix = 2 ** 22;

/**
 * The convolutions at the start of a network, each reading the ReLU of the one before, as far as the chain goes; not grouped. Layers that other
 * nodes read too are fine: what is above a layer does not matter to its bounds.
 */
function convChain(network: Network): ConvLayer[] {
  const layers: ConvLayer[] = [];
  let before: NodeId = 0;
  for (const relu of reluNodes(network)) {
    const node = network.nodes[relu];
    if (node.kind !== 'relu') break;
    const conv = network.nodes[node.from];
    if (conv.kind !== 'conv' || conv.from !== before || conv.groups !== 1) break;
    layers.push({ id: node.from, relu, conv });
    before = relu;
  }
  return layers;
}

/** The windows of the convolutions that a network begins with; undefined where there are none that save work. */
export function convWindows(network: Network): ConvWindows | undefined {
  const chain = convChain(network);
  const of = new Map<NodeId, Windows>();
  const below = new Map<NodeId, ConvNode>();
  let largest = 0;
  for (const [level, { id }] of chain.entries()) {
    const windows = level === 0 ? undefined : windowsOf(chain, level);
    if (windows === undefined) continue;
    of.set(id, windows);
    for (const { layer, window } of windows.below) {
      below.set(layer.relu, layer.conv);
      largest = Math.max(largest, window.size);
    }
  }
  return of.size === 0 ? undefined : { of, below, largest };
}

/** The windows of the neurons of `chain[level]`, or undefined where they are not clearly smaller than the layers. */
function windowsOf(chain: readonly ConvLayer[], level: number): Windows | undefined {
  const layer = chain[level];
  const [, height, width] = layer.conv.outShape;
  let window = beginning(layer.conv);
  const below: { layer: ConvLayer; window: Window }[] = [];
  for (let j = level - 1; j >= 0; j--) {
    if (2 * window.size > chain[j].conv.size) return undefined;
    below.push({ layer: chain[j], window });
    const next = through(window, chain[j].conv, [height, width]);
    if (window.size * next.size > largestMatrix) return undefined;
    window = next;
  }
  return { layer, positions: height * width, below, input: window };
}

/** What a convolution reads; places that a dilation skips have no weight. */
function beginning(conv: ConvNode): Window {
  const { kernel, dilations, strides, pads, inShape, outShape } = conv;
  const extent = (axis: 0 | 1): number => dilations[axis] * (kernel[axis] - 1) + 1;
  return indexed(
    [inShape[0], extent(0), extent(1)],
    strides,
    [pads[0], pads[1]],
    [inShape[1], inShape[2]],
    [outShape[1], outShape[2]],
  );
}

/** What a window on the output of a convolution reads of the convolution's input. */
function through(window: Window, conv: ConvNode, positions: readonly [number, number]): Window {
  const { kernel, dilations, strides, pads, inShape } = conv;
  const along = (axis: 0 | 1) => ({
    extent: (window.shape[axis + 1] - 1) * strides[axis] + dilations[axis] * (kernel[axis] - 1) + 1,
    stride: window.stride[axis] * strides[axis],
    offset: window.offset[axis] * strides[axis] + pads[axis],
  });
  const [y, x] = [along(0), along(1)];
  return indexed(
    [inShape[0], y.extent, x.extent],
    [y.stride, x.stride],
    [y.offset, x.offset],
    [inShape[1], inShape[2]],
    positions,
  );
}

function indexed(
  shape: readonly [number, number, number],
  stride: readonly [number, number],
  offset: readonly [number, number],
  [height, width]: readonly [number, number],
  [rows, columns]: readonly [number, number],
): Window {
  const size = shape[0] * shape[1] * shape[2];
  const index = new Int32Array(rows * columns * size);
  let at = 0;
  for (let p = 0; p < rows * columns; p++) {
    const top = Math.floor(p / columns) * stride[0] - offset[0];
    const left = (p % columns) * stride[1] - offset[1];
    for (let c = 0; c < shape[0]; c++) {
      for (let y = top; y < top + shape[1]; y++) {
        for (let x = left; x < left + shape[2]; x++) {
          const inside = y >= 0 && y < height && x >= 0 && x < width;
          index[at++] = inside ? (c * height + y) * width + x : -1;
        }
      }
    }
  }
  return { shape, stride, offset, size, index };
}

/** Weights of each output channel on the window that the convolution reads: [outChannels, size], float32. */
export function weightRows(conv: ConvNode): Float32Array {
  return spread(conv, [1, 1], beginning(conv).shape);
}

/** The convolution from a window on its output to the window on its input: [size of `from`, size of `to`], the same at every position. */
export function windowMatrix(conv: ConvNode, from: Window, to: Window): Float32Array {
  return spread(conv, [from.shape[1], from.shape[2]], to.shape);
}

/** Weights from [outChannels, height, width] places to the places of a window. */
function spread(
  conv: ConvNode,
  [height, width]: readonly [number, number],
  to: readonly [number, number, number],
): Float32Array {
  const { weight, kernel, dilations, strides, outShape } = conv;
  const [channels, toHeight, toWidth] = to;
  const columns = channels * toHeight * toWidth;
  const matrix = new Float32Array(outShape[0] * height * width * columns);
  const area = kernel[0] * kernel[1];
  for (let out = 0; out < outShape[0]; out++) {
    for (let place = 0; place < height * width; place++) {
      const row = (out * height * width + place) * columns;
      const top = Math.floor(place / width) * strides[0];
      const left = (place % width) * strides[1];
      for (let c = 0; c < channels; c++) {
        for (let k = 0; k < area; k++) {
          const y = top + Math.floor(k / kernel[1]) * dilations[0];
          const x = left + (k % kernel[1]) * dilations[1];
          matrix[row + (c * toHeight + y) * toWidth + x] = weight[(out * channels + c) * area + k];
        }
      }
    }
  }
  return matrix;
}
