import { gatherIndex, strides } from '../indexing';
import { allowed, axisOf, elements, formatShape, refuse, weights } from '../values';
import { constantAt, inputAt, integers, type OperatorNode, type OperatorRule } from './rule';

/**
 * https://onnx.ai/onnx/operators/onnx__Pad.html: attributes before opset 11, inputs since. Modes constant, edge and
 * reflect; negative padding crops in constant mode.
 */
export const pad: OperatorRule = (node) => {
  const x = inputAt(node, 0);
  const pads = integers(node, 'pads', 1) ?? refuse('pads are missing');
  const mode = node.attributes.string('mode', 'constant');
  const rank = x.shape.length;
  const axes = node.inputs[3]
    ? [...constantAt(node, 3, 'axes').data].map((axis) => axisOf(axis, rank))
    : x.shape.map((_, d) => d);
  if (pads.length !== 2 * axes.length) refuse(`pads ${formatShape(pads)} for ${axes.length} axes`);
  if (mode !== 'constant' && pads.some((amount) => amount < 0)) refuse(`negative pads in mode ${mode}`);
  const step = strides(x.shape);
  const offsets = x.shape.map((size, d) => {
    const i = axes.indexOf(d);
    const [before, after] = i < 0 ? [0, 0] : [pads[i], pads[i + axes.length]];
    return Array.from({ length: allowed(Math.max(0, size + before + after)) }, (_, o) => {
      const coordinate = sourceOf(o - before, size, mode);
      return coordinate < 0 ? -1 : coordinate * step[d];
    });
  });
  const shape = offsets.map(({ length }) => length);
  if (elements(shape) === 0) refuse('keeps nothing');
  const index = gatherIndex(offsets);
  const value = fillValue(node);
  if (x.kind === 'constant') return { ...x, shape, data: Float64Array.from(index, (i) => (i < 0 ? value : x.data[i])) };
  return node.emit.select(x, shape, index, {
    bias: value === 0 ? undefined : Float64Array.from(index, (source) => (source < 0 ? value : 0)),
  });
};

function fillValue(node: OperatorNode): number {
  if (!node.inputs[2]) return node.attributes.float('value', 0);
  const tensor = constantAt(node, 2, 'the value');
  return node.inputs[0]?.kind === 'variable' ? weights(tensor, 'the value')[0] : tensor.data[0];
}

/** The coordinate whose value stands at `coordinate` of the padded axis; -1 for the constant. */
function sourceOf(coordinate: number, size: number, mode: string): number {
  if (coordinate >= 0 && coordinate < size) return coordinate;
  switch (mode) {
    case 'constant':
      return -1;
    case 'edge':
      return coordinate < 0 ? 0 : size - 1;
    case 'reflect': {
      const mirrored = coordinate < 0 ? -coordinate : 2 * (size - 1) - coordinate;
      if (mirrored < 0 || mirrored >= size) refuse('reflects further than the axis is long');
      return mirrored;
    }
    default:
      return refuse(`mode ${mode}`);
  }
}
