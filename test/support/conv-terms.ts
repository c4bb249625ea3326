import type { ConvNode } from '../../lib/network/network';

/** A product that an output of a convolution is a sum of: the weight and the place of the value in the input. */
interface Term {
  readonly from: number;
  readonly weight: number;
}

/** By output of a convolution, its channel and its terms, by the definition of ONNX: channels of its group times the kernel, zeros outside. */
export function convolutionTerms(node: ConvNode): { readonly channel: number; readonly terms: readonly Term[] }[] {
  const [outChannels, outHeight, outWidth] = node.outShape;
  const [inChannels, inHeight, inWidth] = node.inShape;
  const [kernelHeight, kernelWidth] = node.kernel;
  const [groupIn, groupOut] = [inChannels / node.groups, outChannels / node.groups];
  const out: { channel: number; terms: Term[] }[] = [];
  for (let o = 0; o < outChannels; o++)
    for (let y = 0; y < outHeight; y++)
      for (let z = 0; z < outWidth; z++) {
        const terms: Term[] = [];
        for (let c = 0; c < groupIn; c++)
          for (let i = 0; i < kernelHeight; i++)
            for (let j = 0; j < kernelWidth; j++) {
              const row = y * node.strides[0] - node.pads[0] + i * node.dilations[0];
              const column = z * node.strides[1] - node.pads[1] + j * node.dilations[1];
              if (row < 0 || row >= inHeight || column < 0 || column >= inWidth) continue;
              const channel = Math.floor(o / groupOut) * groupIn + c;
              const weight = node.weight[((o * groupIn + c) * kernelHeight + i) * kernelWidth + j];
              terms.push({ from: (channel * inHeight + row) * inWidth + column, weight });
            }
        out.push({ channel: o, terms });
      }
  return out;
}
