import { sameShape } from './indexing';
import type { ConvNode, NetworkNode, NodeId, Shape } from './network';
import { elements, type Tensor, type VariableTensor } from './values';

type Linear = { readonly scale?: Float64Array | undefined; readonly bias?: Float64Array | undefined };

/**
 * Appends nodes to a network under construction, all under the name of the ONNX tensor they are for. Shapes are full
 * ONNX shapes for a batch of one; the node's own shape leaves the batch dimension out.
 */
export class Emitter {
  constructor(
    private readonly nodes: NetworkNode[],
    private readonly name: string,
  ) {}

  private append(node: NetworkNode, shape: Shape): VariableTensor {
    this.nodes.push(node);
    return { kind: 'variable', shape, node: this.nodes.length - 1 };
  }

  private base(shape: Shape): { name: string; shape: Shape; size: number } {
    const own = shape.length > 1 && shape[0] === 1 ? shape.slice(1) : shape;
    return { name: this.name, shape: own, size: elements(shape) };
  }

  input(shape: Shape): VariableTensor {
    return this.append({ kind: 'input', ...this.base(shape) }, shape);
  }

  /** weight is [elements(shape), elements(x.shape)] */
  dense(x: VariableTensor, shape: Shape, weight: Float64Array, bias?: Float64Array): VariableTensor {
    const base = this.base(shape);
    return this.append(
      { kind: 'dense', ...base, from: x.node, weight, bias: bias ?? new Float64Array(base.size) },
      shape,
    );
  }

  /** The result has the shape given, which must hold as many values as `geometry.outShape`. */
  conv(
    x: VariableTensor,
    shape: Shape,
    geometry: Omit<ConvNode, 'kind' | 'from' | 'name' | 'shape' | 'size'>,
  ): VariableTensor {
    const base = { name: this.name, shape: geometry.outShape, size: elements(geometry.outShape) };
    return this.append({ kind: 'conv', ...base, from: x.node, ...geometry }, shape);
  }

  /** out[i] = scale[i] x[index[i]] + bias[i]; index -1 gives bias[i] alone. */
  select(x: VariableTensor, shape: Shape, index: Int32Array, { scale, bias }: Linear = {}): VariableTensor {
    const linear = { ...(scale && { scale }), ...(bias && { bias }) };
    return this.append({ kind: 'select', ...this.base(shape), from: x.node, index, ...linear }, shape);
  }

  /** Elementwise out = scale x + bias, without moving anything. */
  affine(x: VariableTensor, linear: Linear): VariableTensor {
    return this.select(
      x,
      x.shape,
      Int32Array.from({ length: elements(x.shape) }, (_, i) => i),
      linear,
    );
  }

  /** Elementwise out = factor x + offset. */
  scalar(x: VariableTensor, factor: number, offset = 0): VariableTensor {
    const size = elements(x.shape);
    return this.affine(x, {
      scale: factor === 1 ? undefined : new Float64Array(size).fill(factor),
      bias: offset === 0 ? undefined : new Float64Array(size).fill(offset),
    });
  }

  /** Sum of tensors of equal shape; a tensor that occurs several times is scaled instead. */
  add(...terms: readonly VariableTensor[]): VariableTensor {
    const times = new Map<NodeId, number>();
    for (const { node } of terms) times.set(node, (times.get(node) ?? 0) + 1);
    const [first] = terms;
    const from = [...times].map(([node, count]) =>
      count === 1 ? node : this.scalar({ kind: 'variable', shape: first.shape, node }, count).node,
    );
    if (from.length === 1) return { kind: 'variable', shape: first.shape, node: from[0] };
    return this.append({ kind: 'add', ...this.base(first.shape), from }, first.shape);
  }

  relu(x: VariableTensor): VariableTensor {
    return this.append({ kind: 'relu', ...this.base(x.shape), from: x.node }, x.shape);
  }

  /** max(a, b) = b + relu(a - b), elementwise. */
  max(a: VariableTensor, b: VariableTensor): VariableTensor {
    return this.add(this.relu(this.add(a, this.scalar(b, -1))), b);
  }

  /** Values of a constant or variable tensor in another arrangement (`index` without -1). */
  rearrange<T extends Tensor>(tensor: T, shape: Shape, index: Int32Array): T {
    if (sameShape(tensor.shape, shape) && index.every((source, i) => source === i)) return tensor;
    if (tensor.kind === 'variable') return this.select(tensor, shape, index) as Tensor as T;
    // A plain loop: `from` with a function takes tenfold on the millions of weights that a start waits for.
    const data = new Float64Array(index.length);
    for (let i = 0; i < data.length; i++) data[i] = tensor.data[index[i]];
    return { ...tensor, shape, data };
  }
}

/** The same values under another shape. */
export function reshaped<T extends Tensor>(tensor: T, shape: Shape): T {
  return { ...tensor, shape };
}
