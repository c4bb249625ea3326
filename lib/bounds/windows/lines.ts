import type { ConvNode } from '../../network/network';
import type { Relaxation } from '../relaxation';

/** The lines of a layer's ReLUs over W x, without the bias that the convolution adds; each [balls, size]. */
export interface LayerLines {
  readonly ls: Float32Array;
  readonly us: Float32Array;
  readonly lc: Float32Array;
  readonly uc: Float32Array;
}

/** Room for constants that float32 flushes to 0, as in dense/compact.ts. */
const flushed = 2 ** -100;

/**
 * Lines as emitWindows reads them: a line s z + t of z = W x + b is s W x + (s b + t). The roundings of s b in a row's constant are those that the
 * error weight of the convolution counts for its bias (docs/soundness.md, "Windows").
 *
 * @param relaxation of the convolution's neurons, [balls, size]
 */
export function layerLines(conv: ConvNode, relaxation: Relaxation): LayerLines {
  const { lowerSlope: ls, upperSlope: us } = relaxation;
  const lc = relaxation.lowerIntercept.slice();
  const uc = relaxation.upperIntercept.slice();
  const area = conv.outShape[1] * conv.outShape[2];
  const { size } = conv;
  for (let start = 0; start < ls.length; start += size) {
    for (let j = 0; j < size; j++) {
      const i = start + j;
      // Both lines of an inactive neuron are 0.
      if (us[i] === 0 && uc[i] === 0) continue;
      const b = conv.bias[(j / area) | 0];
      if (ls[i] !== 0) lc[i] = ls[i] * b + lc[i] - flushed;
      uc[i] = us[i] * b + uc[i] + flushed;
    }
  }
  return { ls, us, lc, uc };
}
