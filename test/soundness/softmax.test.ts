import { floatTensor } from '../../lib/network/tensor';
import { comparesOrderOnly, misclassification } from '../../lib/region/violation';
import { baverly } from '../support/command';
import { fileIn, temporaryFolder } from '../support/folder';
import { modelBytes, node } from '../support/models';

const folder = temporaryFolder();

/** Scores 0.1 x and -0.1 x, then the operator. */
function endingIn(operator: string): string {
  const bytes = modelBytes({
    nodes: [node('Gemm', ['x', 'w'], 'z', { transB: 1 }), node(operator, ['z'], 'y')],
    initializers: [floatTensor('w', [2, 1], Float32Array.of(0.1, -0.1))],
    input: ['batch', 1],
    output: ['batch', 2],
  });
  return fileIn(folder, `${operator}.onnx`, bytes);
}

function property(name: string, violation: string): string {
  const declared = ['X_0', 'Y_0', 'Y_1'].map((variable) => `(declare-const ${variable} Real)`).join('\n');
  const text = `${declared}\n(assert (<= X_0 1))\n(assert (>= X_0 0.1))\n(assert ${violation})\n`;
  return fileIn(folder, `${name}.vnnlib`, text);
}

const answerTo = (net: string, file: string) => baverly(['vnncomp', net, file, '--timeout', '10']);

describe('a Softmax that is left out', () => {
  test.each(['Softmax', 'LogSoftmax'])(
    '%s: properties of the probabilities themselves are refused',
    async (operator) => {
      // True everywhere in the box for Softmax; never true of the scores, which stay below 0.1.
      const { code, stdout, stderr } = await answerTo(endingIn(operator), property('above', '(>= Y_0 0.5)'));
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toContain('the final Softmax of');
    },
  );

  test.each(['Softmax', 'LogSoftmax'])('%s: comparisons of two outputs are answered', async (operator) => {
    const net = endingIn(operator);
    expect((await answerTo(net, property('never', '(>= Y_1 Y_0)'))).stdout).toBe('unsat\n');
    expect((await answerTo(net, property('always', '(>= Y_0 Y_1)'))).stdout).toMatch(/^sat\n/);
  });

  test('what counts as a comparison of two outputs', () => {
    const half = (coefficients: number[], offset = 0) => [[{ coefficients: Float64Array.from(coefficients), offset }]];
    expect(comparesOrderOnly(misclassification(1, 4))).toBe(true);
    expect(comparesOrderOnly(half([2, 0, -2]))).toBe(true);
    for (const other of [half([1, 0, -1], 0.1), half([1, 0, 0]), half([1, 1, -2]), half([1, -0.5]), half([0, 0])]) {
      expect(comparesOrderOnly(other)).toBe(false);
    }
  });
});
