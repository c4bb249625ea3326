import fc from 'fast-check';
import type { ConvNode, SelectNode } from '../../lib/network/network';
import { type AffineNode, carry, magnitudes } from '../../lib/search/double-affine';

const small = fc.integer({ min: -3, max: 3 });
const pad = fc.integer({ min: 0, max: 4 });

/** Convolutions of any strides, dilations, groups and uneven padding, with small whole numbers for weights. */
const convolutions = fc
  .record({
    groups: fc.integer({ min: 1, max: 2 }),
    depth: fc.integer({ min: 1, max: 2 }),
    filters: fc.integer({ min: 1, max: 2 }),
    kernel: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
    strides: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
    dilations: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
    pads: fc.tuple(pad, pad, pad, pad),
    more: fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 3 })),
    numbers: fc.infiniteStream(small),
  })
  .map(({ groups, depth, filters, kernel, strides, dilations, pads, more, numbers }): ConvNode => {
    const whole = (count: number) => Float64Array.from({ length: count }, () => numbers.next().value);
    // The kernel fits, with or without what is padded.
    const [height, width] = [0, 1].map((d) => (kernel[d] - 1) * dilations[d] + 1 + more[d]);
    const inShape = [groups * depth, height, width] as const;
    const outShape = [
      groups * filters,
      Math.floor((more[0] + pads[0] + pads[2]) / strides[0]) + 1,
      Math.floor((more[1] + pads[1] + pads[3]) / strides[1]) + 1,
    ] as const;
    const size = outShape[0] * outShape[1] * outShape[2];
    const weight = whole(groups * filters * depth * kernel[0] * kernel[1]);
    const bias = whole(groups * filters);
    return {
      kind: 'conv',
      name: 'c',
      from: 0,
      size,
      shape: outShape,
      weight,
      bias,
      kernel,
      strides,
      dilations,
      pads,
      groups,
      inShape,
      outShape,
    };
  });

const selects = fc
  .record({
    index: fc.array(fc.integer({ min: -1, max: 5 }), { minLength: 1, maxLength: 8 }),
    hasScale: fc.boolean(),
    numbers: fc.infiniteStream(small),
  })
  .map(({ index, hasScale, numbers }): SelectNode => {
    const whole = () => Float64Array.from(index, () => numbers.next().value);
    const node = {
      kind: 'select',
      name: 's',
      from: 0,
      size: index.length,
      shape: [index.length],
      index: Int32Array.from(index),
    } as const;
    return hasScale ? { ...node, scale: whole(), bias: whole() } : node;
  });

/** Weights of value `j` by the definition, [size of what the node reads], and its bias. */
function plainRow(node: ConvNode | SelectNode, j: number, reads: number) {
  const row = new Float64Array(reads);
  if (node.kind === 'select') {
    if (node.index[j] >= 0) row[node.index[j]] = node.scale?.[j] ?? 1;
    return { row, bias: node.bias?.[j] ?? 0 };
  }
  const { weight, bias, kernel, strides, dilations, pads, groups, inShape, outShape } = node;
  const [channel, y, x] = [
    Math.floor(j / outShape[1] / outShape[2]),
    Math.floor(j / outShape[2]) % outShape[1],
    j % outShape[2],
  ];
  const depth = inShape[0] / groups;
  const group = Math.floor(channel / (outShape[0] / groups));
  for (let c = 0; c < depth; c++)
    for (let ky = 0; ky < kernel[0]; ky++)
      for (let kx = 0; kx < kernel[1]; kx++) {
        const iy = y * strides[0] - pads[0] + ky * dilations[0];
        const ix = x * strides[1] - pads[1] + kx * dilations[1];
        if (iy < 0 || ix < 0 || iy >= inShape[1] || ix >= inShape[2]) continue;
        row[((group * depth + c) * inShape[1] + iy) * inShape[2] + ix] +=
          weight[((channel * depth + c) * kernel[0] + ky) * kernel[1] + kx];
      }
  return { row, bias: bias[channel] };
}

const readsOf = (node: ConvNode | SelectNode): number =>
  node.kind === 'select' ? 6 : node.inShape.reduce((a, b) => a * b);

test.each<[string, fc.Arbitrary<ConvNode | SelectNode>]>([
  ['convolutions', convolutions],
  ['selections', selects],
])('coefficients on %s are carried by the definition, exactly for whole numbers', (_, nodes) => {
  fc.assert(
    fc.property(nodes, fc.infiniteStream(small), (node, numbers) => {
      const reads = readsOf(node);
      const coefficients = Float64Array.from({ length: node.size }, () => numbers.next().value);
      const own = new Float64Array(reads);
      let constant = 0;
      carry(node as AffineNode, coefficients, { at: () => own, onConstant: (product) => (constant += product) });
      const expected = new Float64Array(reads);
      let total = 0;
      for (const [j, a] of coefficients.entries()) {
        const { row, bias } = plainRow(node, j, reads);
        for (let i = 0; i < reads; i++) expected[i] += a * row[i];
        total += a * bias;
      }
      expect([...own].map((v) => v + 0)).toEqual([...expected].map((v) => v + 0));
      expect(constant + 0).toBe(total + 0);
      const tops = Float64Array.from({ length: reads }, () => Math.abs(numbers.next().value));
      const sums = Array.from({ length: node.size }, (_, j) => {
        const { row, bias } = plainRow(node, j, reads);
        return row.reduce((sum, w, i) => sum + Math.abs(w) * tops[i], Math.abs(bias));
      });
      expect([...magnitudes(node as AffineNode, [tops])]).toEqual(sums);
    }),
    { numRuns: 300 },
  );
});

test('weights of 0 make no product, whatever they would be multiplied with', () => {
  const node: ConvNode = {
    ...{
      kind: 'conv',
      name: 'c',
      from: 0,
      size: 1,
      shape: [1, 1, 1],
      kernel: [1, 3],
      strides: [1, 1],
      dilations: [1, 1],
      pads: [0, 0, 0, 0],
    },
    ...{
      groups: 1,
      inShape: [1, 1, 3],
      outShape: [1, 1, 1],
      weight: Float64Array.of(2, 0, -1),
      bias: Float64Array.of(0),
    },
  };
  const own = new Float64Array(3);
  carry(node, Float64Array.of(Number.POSITIVE_INFINITY), { at: () => own, onConstant() {} });
  expect([...own]).toEqual([Number.POSITIVE_INFINITY, 0, Number.NEGATIVE_INFINITY]);
  expect([...magnitudes(node, [Float64Array.of(1, Number.POSITIVE_INFINITY, 0)])]).toEqual([2]);
});
