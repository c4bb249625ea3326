import { type ConvNode, inputsOf, type Network } from '../../lib/network/network';

const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** Fails unless the network keeps the promises of the normal form: order, sizes, and geometry of convolutions. */
export function expectWellFormed({ nodes, output, inputSize, classes }: Network): void {
  expect(nodes[0].kind).toBe('input');
  expect([nodes[0].size, nodes[output].size]).toEqual([inputSize, classes]);
  nodes.forEach((node, id) => {
    expect(product(node.shape)).toBe(node.size);
    const sources = inputsOf(node);
    for (const from of sources) expect(from).toBeLessThan(id);
    const inSize = sources.length > 0 ? nodes[sources[0]].size : 0;
    switch (node.kind) {
      case 'input':
        expect(id).toBe(0);
        break;
      case 'dense':
        expect([node.weight.length, node.bias.length]).toEqual([node.size * inSize, node.size]);
        break;
      case 'conv':
        expectGeometry(node, inSize);
        break;
      case 'select':
        expect(node.index.length).toBe(node.size);
        for (const values of [node.scale, node.bias]) expect(values?.length ?? node.size).toBe(node.size);
        expect(node.index.every((source) => source >= -1 && source < inSize)).toBe(true);
        break;
      case 'relu':
        expect(node.size).toBe(inSize);
        break;
      case 'add':
        expect(new Set(sources).size).toBeGreaterThan(1);
        expect(new Set(sources).size).toBe(sources.length);
        for (const from of sources) expect(nodes[from].size).toBe(node.size);
    }
  });
}

function expectGeometry(node: ConvNode, inSize: number): void {
  const { inShape, outShape, kernel, strides, dilations, pads, groups } = node;
  expect([product(inShape), product(outShape)]).toEqual([inSize, node.size]);
  expect(node.weight.length).toBe((outShape[0] * inShape[0] * kernel[0] * kernel[1]) / groups);
  expect(node.bias.length).toBe(outShape[0]);
  const sizes = [0, 1].map((axis) => {
    const room = inShape[axis + 1] + pads[axis] + pads[axis + 2] - dilations[axis] * (kernel[axis] - 1) - 1;
    return Math.floor(room / strides[axis]) + 1;
  });
  expect(sizes).toEqual(outShape.slice(1));
}
