import { type AttributeInput, floatTensor } from '../../lib/network/tensor';
import { node, uniform } from '../support/models';
import { expectAgreement } from '../support/operators';

const weights = (name: string, dims: readonly number[], seed = 3) =>
  floatTensor(name, dims, uniform(seed)(dims.reduce((a, b) => a * b, 1)));

interface WindowCase {
  readonly input: readonly number[];
  readonly kernel: readonly number[];
  readonly attributes: { readonly [name: string]: AttributeInput };
}

describe('Conv', () => {
  const cases: (WindowCase & { filters: number; group?: number })[] = [
    { input: [1, 2, 5, 6], kernel: [3, 3], filters: 3, attributes: {} },
    { input: [1, 2, 5, 6], kernel: [3, 2], filters: 3, attributes: { strides: [2, 1], pads: [1, 0, 2, 1] } },
    { input: [1, 2, 7, 7], kernel: [3, 3], filters: 2, attributes: { dilations: [2, 1], pads: [0, 1, 1, 0] } },
    { input: [1, 4, 5, 5], kernel: [3, 3], filters: 6, group: 2, attributes: { group: 2, strides: [2, 2] } },
    { input: [1, 3, 5, 5], kernel: [2, 2], filters: 3, group: 3, attributes: { group: 3, pads: [1, 1, 0, 0] } },
    { input: [1, 2, 6, 5], kernel: [3, 4], filters: 2, attributes: { auto_pad: 'SAME_UPPER', strides: [2, 3] } },
    { input: [1, 2, 6, 5], kernel: [4, 2], filters: 2, attributes: { auto_pad: 'SAME_LOWER', strides: [1, 2] } },
    { input: [1, 2, 6, 5], kernel: [2, 2], filters: 2, attributes: { auto_pad: 'VALID', strides: [3, 2] } },
    { input: [1, 2, 9], kernel: [3], filters: 4, attributes: { strides: [2], pads: [2, 1] } },
    { input: [1, 2, 9], kernel: [3], filters: 4, group: 2, attributes: { group: 2, dilations: [3] } },
    { input: [1, 2, 7], kernel: [4], filters: 1, attributes: { auto_pad: 'SAME_UPPER', strides: [2] } },
  ];
  test.each(cases)('$kernel on $input with $attributes', async ({ input, kernel, filters, group = 1, attributes }) => {
    const initializers = [weights('w', [filters, input[1] / group, ...kernel]), weights('b', [filters])];
    await expectAgreement({ nodes: [node('Conv', ['x', 'w', 'b'], 'r', attributes)], initializers, input });
    const declared = { ...attributes, kernel_shape: kernel };
    await expectAgreement({ nodes: [node('Conv', ['x', 'w'], 'r', declared)], initializers, input, opset: 11 });
  });

  test('with a scale and shift of each channel before and after, and a Pad in front', async () => {
    const initializers = [weights('w', [4, 1, 3, 3]), weights('s', [2, 1, 1]), weights('t', [4, 1, 1])];
    const nodes = [
      node('Mul', ['x', 's'], 'a'),
      node('Conv', ['a', 'w'], 'c', { group: 2, pads: [1, 1, 1, 1] }),
      node('Mul', ['c', 't'], 'd'),
      node('Add', ['d', 't'], 'r'),
    ];
    await expectAgreement({ nodes, initializers, input: [1, 2, 4, 4] });
    const shifted = [node('Add', ['x', 's'], 'a'), node('Conv', ['a', 'w'], 'r', { group: 2 })];
    await expectAgreement({ nodes: shifted, initializers, input: [1, 2, 4, 4] });
    const padded = [
      node('Pad', ['x'], 'a', { pads: [0, 0, 1, 2, 0, 0, 0, 1] }),
      node('Conv', ['a', 'w'], 'r', { group: 2, pads: [1, 0, 0, 1] }),
    ];
    await expectAgreement({ nodes: padded, initializers, input: [1, 2, 4, 4], opset: 10 });
  });
});

const pools: WindowCase[] = [
  { input: [1, 2, 4, 6], kernel: [2, 2], attributes: { strides: [2, 2] } },
  { input: [1, 2, 5, 6], kernel: [3, 3], attributes: { strides: [2, 2], pads: [1, 1, 1, 1] } },
  { input: [1, 2, 5, 6], kernel: [3, 2], attributes: { pads: [1, 0, 2, 1] } },
  { input: [1, 1, 5, 7], kernel: [2, 3], attributes: { strides: [2, 2], ceil_mode: 1 } },
  { input: [1, 1, 6, 6], kernel: [3, 3], attributes: { strides: [2, 2], pads: [1, 1, 1, 1], ceil_mode: 1 } },
  { input: [1, 1, 6, 5], kernel: [3, 2], attributes: { strides: [2, 3], auto_pad: 'SAME_UPPER' } },
  { input: [1, 1, 6, 5], kernel: [3, 2], attributes: { strides: [2, 3], auto_pad: 'SAME_LOWER' } },
  { input: [1, 2, 9], kernel: [3], attributes: { strides: [2], pads: [1, 1] } },
  // The window that ceil_mode would add starts in the padding at the end.
  { input: [1, 2, 3], kernel: [2], attributes: { strides: [3], pads: [0, 1], ceil_mode: 1 } },
];

describe('MaxPool', () => {
  const dilated = { input: [1, 1, 6, 6], kernel: [2, 3], attributes: { dilations: [2, 1] } };
  test.each([...pools, dilated])('$kernel on $input with $attributes', async ({ input, kernel, attributes }) => {
    const pool = node('MaxPool', ['x'], 'r', { ...attributes, kernel_shape: kernel });
    await expectAgreement({ nodes: [pool], input });
    await expectAgreement({ nodes: [pool], input, opset: 22 });
  });
});

describe('AveragePool', () => {
  const dilated = { input: [1, 1, 6, 6], kernel: [2, 3], attributes: { dilations: [2, 1], pads: [1, 1, 0, 1] } };
  const cases = [...pools, dilated].flatMap((one) =>
    [0, 1].map((count_include_pad) => ({ ...one, count_include_pad })),
  );
  test.each(cases)('$kernel on $input with $attributes, count_include_pad $count_include_pad', async (one) => {
    const { input, kernel, attributes, count_include_pad } = one;
    const pool = node('AveragePool', ['x'], 'r', { ...attributes, kernel_shape: kernel, count_include_pad });
    await expectAgreement({ nodes: [pool], input, opset: 19 });
    if (!('dilations' in attributes)) await expectAgreement({ nodes: [pool], input, opset: 11 });
  });
});
