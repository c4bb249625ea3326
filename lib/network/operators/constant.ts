import { readConstant } from '../constants';
import { DataType } from '../protobuf';
import { constant, refuse } from '../values';
import type { OperatorRule } from './rule';

/** https://onnx.ai/onnx/operators/onnx__Constant.html */
export const constantValue: OperatorRule = ({ attributes }) => {
  const tensor = attributes.tensor('value');
  if (tensor) return readConstant(tensor);
  if (attributes.has('value_float')) return constant(DataType.float, [], [attributes.float('value_float', 0)]);
  if (attributes.has('value_int')) return constant(DataType.int64, [], [attributes.int('value_int', 0)]);
  const floats = attributes.floats('value_floats');
  if (floats && attributes.has('value_floats')) return constant(DataType.float, [floats.length], floats);
  const ints = attributes.ints('value_ints');
  if (ints && attributes.has('value_ints')) return constant(DataType.int64, [ints.length], ints);
  return refuse('holds neither a tensor nor numbers');
};
