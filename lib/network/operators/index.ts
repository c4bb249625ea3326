import { clip, max, min } from './clip';
import { constantValue } from './constant';
import { conv } from './conv';
import { add, div, mul, neg, sub, sumAll } from './elementwise';
import { binary, cast, comparison, constantOfShape, range, shapeOf, sizeOf, unary, where } from './fold';
import { gemm, matMul } from './linear';
import { concat, expand, gather, slice, split, tile, transpose } from './move';
import { batchNormalization, finalSoftmax } from './normalization';
import { pad } from './pad';
import { averagePool, maxPool } from './pool';
import { abs, leakyRelu, pRelu, relu } from './rectifier';
import { overPositions, reduceMax, reduceMean, reduceMin, reduceProd, reduceSum } from './reduce';
import type { OperatorRule } from './rule';
import { dropout, flatten, identity, reshape, squeeze, unsqueeze } from './shape';

/** What each ONNX operator means in the normal form; what is not here is refused by name. */
export const operators: ReadonlyMap<string, OperatorRule> = new Map(
  Object.entries({
    Abs: abs,
    Add: add,
    AveragePool: averagePool,
    BatchNormalization: batchNormalization,
    Cast: cast,
    Ceil: unary(Math.ceil),
    Clip: clip,
    Concat: concat,
    Constant: constantValue,
    ConstantOfShape: constantOfShape,
    Conv: conv,
    Div: div,
    Dropout: dropout,
    Equal: comparison((a, b) => a === b),
    Expand: expand,
    Flatten: flatten,
    Floor: unary(Math.floor),
    Gather: gather,
    Gemm: gemm,
    GlobalAveragePool: overPositions('mean'),
    GlobalMaxPool: overPositions('max'),
    Greater: comparison((a, b) => a > b),
    Identity: identity,
    LeakyRelu: leakyRelu,
    Less: comparison((a, b) => a < b),
    LogSoftmax: finalSoftmax,
    MatMul: matMul,
    Max: max,
    MaxPool: maxPool,
    Min: min,
    Mul: mul,
    Neg: neg,
    PRelu: pRelu,
    Pad: pad,
    Pow: binary((a, b) => a ** b),
    Range: range,
    ReduceMax: reduceMax,
    ReduceMean: reduceMean,
    ReduceMin: reduceMin,
    ReduceProd: reduceProd,
    ReduceSum: reduceSum,
    Relu: relu,
    Reshape: reshape,
    Shape: shapeOf,
    Size: sizeOf,
    Slice: slice,
    Softmax: finalSoftmax,
    Split: split,
    Sqrt: unary(Math.sqrt),
    Squeeze: squeeze,
    Sub: sub,
    Sum: sumAll,
    Tile: tile,
    Transpose: transpose,
    Unsqueeze: unsqueeze,
    Where: where,
  }),
);
