import { constantValue } from './constant';
import { conv } from './conv';
import { add, div, mul, neg, sub, sumAll } from './elementwise';
import { gemm, matMul } from './linear';
import { abs, leakyRelu, pRelu, relu } from './rectifier';
import type { OperatorRule } from './rule';
import { dropout, flatten, identity, reshape, squeeze, unsqueeze } from './shape';

/** What each ONNX operator means in the normal form; what is not here is refused by name. */
export const operators: ReadonlyMap<string, OperatorRule> = new Map(
  Object.entries({
    Abs: abs,
    Add: add,
    Constant: constantValue,
    Conv: conv,
    Div: div,
    Dropout: dropout,
    Flatten: flatten,
    Gemm: gemm,
    Identity: identity,
    LeakyRelu: leakyRelu,
    MatMul: matMul,
    Mul: mul,
    Neg: neg,
    PRelu: pRelu,
    Relu: relu,
    Reshape: reshape,
    Squeeze: squeeze,
    Sub: sub,
    Sum: sumAll,
    Unsqueeze: unsqueeze,
  }),
);
