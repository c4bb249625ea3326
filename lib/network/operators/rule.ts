import type { Attributes } from '../attributes';
import type { Emitter } from '../emitter';
import {
  type ConstantTensor,
  expectConstant,
  expectVariable,
  refuse,
  type Tensor,
  type VariableTensor,
} from '../values';

/** One node of the ONNX graph, with its inputs already read. */
export interface OperatorNode {
  readonly operator: string;
  /** Version of the default operator set that the model imports. */
  readonly opset: number;
  /** An optional input that is left out is undefined. */
  readonly inputs: readonly (Tensor | undefined)[];
  /** Number of outputs that the node names. */
  readonly outputs: number;
  readonly attributes: Attributes;
  readonly emit: Emitter;
  /** The batch size that the file fixes, where it is more than one: hard-coded shapes may hold it. */
  readonly fileBatch: number | undefined;
  /** Whether this node computes the model's output. */
  readonly isLast: boolean;
}

/** Translates a node to the normal form; returns its outputs in order, and throws RefusedNode where it cannot. */
export type OperatorRule = (node: OperatorNode) => Tensor | readonly Tensor[];

/** The input at this position, constant or not; refused when absent. */
export function inputAt(node: OperatorNode, position: number): Tensor {
  return node.inputs[position] ?? refuse(`input ${position} is missing`);
}

export function variableAt(node: OperatorNode, position: number, what = `input ${position}`): VariableTensor {
  return expectVariable(node.inputs[position], what);
}

export function constantAt(node: OperatorNode, position: number, what = `input ${position}`): ConstantTensor {
  return expectConstant(node.inputs[position], what);
}

/**
 * Integers that are an attribute in older opsets and a constant input in newer ones; undefined when neither is given.
 */
export function integers(node: OperatorNode, name: string, position: number): readonly number[] | undefined {
  const attribute = node.attributes.ints(name);
  if (attribute) return attribute;
  return node.inputs[position] && [...constantAt(node, position, name).data];
}
