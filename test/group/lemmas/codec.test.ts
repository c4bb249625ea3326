import { BadInputError } from '../../../lib/errors';
import { decodeLemma, encodeLemma } from '../../../lib/group/lemmas/codec';
import type { Lemma } from '../../../lib/group/lemmas/lemma';

const source = { modelHash: 'ab'.repeat(32), engine: 'engine-1' };
const lemma: Lemma = {
  label: 3,
  relu: 6,
  box: { lower: Float32Array.of(0, 0.1, 0, 0), upper: Float32Array.of(0, 0.3, 1e-40, 7) },
  margin: 0.25,
  members: 12,
};
const { text } = encodeLemma(lemma, source);

/** What is wrong with a text, as the decoder says it. */
function problemsOf(changed: string, about = source): readonly string[] {
  try {
    decodeLemma(changed, 'x', about);
  } catch (error) {
    if (error instanceof BadInputError) return error.problems;
    throw error;
  }
  return [];
}

test('a lemma is read as it was written, exactly', () => {
  expect(decodeLemma(text, 'x', source)).toEqual(lemma);
  expect(encodeLemma(lemma, source).text).toBe(text);
});

test.each([
  ['a bound', '7]', '8]'],
  ['the label', '"label":3', '"label":4'],
  ['the layer', '"relu":6', '"relu":4'],
  ['the margin', '0.25', '0.26'],
  ['the neurons', '[1,2,3]', '[0,2,3]'],
])('a change of %s is found by the hash', (_, from, to) => {
  expect(text).toContain(from);
  expect(problemsOf(text.replace(from, to))).toContain('its content differs from its hash');
});

test('another model or engine is refused, both said at once', () => {
  expect(problemsOf(text, { modelHash: 'cd', engine: 'engine-2' })).toEqual([
    `it is about the model ${source.modelHash}`,
    'it is of the engine engine-1',
  ]);
});

test('what is no lemma is refused', () => {
  expect(problemsOf('{')).toEqual(['it is not JSON']);
  expect(problemsOf(text.slice(0, -20))).toEqual(['it is not JSON']);
  expect(problemsOf('{}').length).toBeGreaterThan(1);
  const odd = encodeLemma({ ...lemma, box: { lower: Float32Array.of(0, 1, 0, 0), upper: lemma.box.upper } }, source);
  expect(problemsOf(odd.text)).toEqual(['a lower bound is above its upper bound']);
});
