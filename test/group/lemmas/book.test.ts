import { lemmaBook } from '../../../lib/group/lemmas/book';
import { candidateHulls, hullOf } from '../../../lib/group/lemmas/hulls';
import { containsBox, type LayerBox, type Lemma, layerBox } from '../../../lib/group/lemmas/lemma';

const box = (lower: number[], upper: number[]): LayerBox => ({
  lower: Float32Array.from(lower),
  upper: Float32Array.from(upper),
});
const lemma = (inside: LayerBox, rest: Partial<Lemma> = {}): Lemma => ({
  label: 1,
  relu: 4,
  box: inside,
  margin: 1,
  members: 4,
  ...rest,
});

test('only a box of the same label and layer that lies inside is found; its edge is inside, NaN is not', () => {
  const book = lemmaBook();
  const known = lemma(box([0, 1], [2, 3]));
  expect(book.add(known)).toBe(true);
  expect(book.find(1, 4, box([0, 1], [2, 3]))).toBe(known);
  expect(book.find(1, 4, box([0.5, 2], [0.5, 2]))).toBe(known);
  expect(book.find(2, 4, box([1, 2], [1, 2]))).toBeUndefined();
  expect(book.find(1, 6, box([1, 2], [1, 2]))).toBeUndefined();
  expect(book.find(1, 4, box([1, 2], [1, 3.0000002384185791]))).toBeUndefined();
  expect(book.find(1, 4, box([1, 0.99999994], [1, 2]))).toBeUndefined();
  expect(book.find(1, 4, box([1, 2], [Number.NaN, 2]))).toBeUndefined();
  expect(book.find(1, 4, box([1], [1]))).toBeUndefined();
});

test('of lemmas that contain each other the larger is kept, and beyond the limit the most used', () => {
  const book = lemmaBook(2);
  const large = lemma(box([0], [9]));
  expect(book.add(lemma(box([1], [2])))).toBe(true);
  expect(book.add(large)).toBe(true);
  expect(book.add(lemma(box([1], [2])))).toBe(false);
  expect(book.find(1, 4, box([1], [2]))).toBe(large);
  expect(book.add(lemma(box([20], [21]), { members: 9 }))).toBe(true);
  expect(book.add(lemma(box([30], [31]), { members: 2 }))).toBe(false);
  expect(book.find(1, 4, box([30], [31]))).toBeUndefined();
  for (let use = 0; use < 9; use++) book.find(1, 4, box([5], [5]));
  expect(book.add(lemma(box([40], [41]), { members: 12 }))).toBe(true);
  expect(book.find(1, 4, box([20], [21]))).toBeUndefined();
  expect(book.find(1, 4, box([5], [5]))).toBe(large);
});

test('a layer shows its ReLU values: nothing below 0, and no bound where none is known', () => {
  const row = layerBox(Float32Array.of(9, -1, 0.5, Number.NaN), Float32Array.of(9, -0.5, 2, Number.NaN), 1, 2);
  expect(row).toEqual(box([0.5, 0], [2, Number.NaN]));
  expect(layerBox(Float32Array.of(-2, 1), Float32Array.of(-1, 3), 0, 2)).toEqual(box([0, 1], [0, 3]));
});

test('a hull contains its members, and nothing once one of them is unknown', () => {
  const boxes = [box([0, 1], [1, 2]), box([0.5, 0], [3, 1]), box([0.2, 0.5], [1, 1.5]), box([0, 0.5], [1, 1.5])];
  for (const share of [1, 0.5]) {
    for (const { box: hull, members } of candidateHulls(boxes, share)) {
      expect(members.length).toBeGreaterThanOrEqual(4 * share);
      expect(members.every((i) => containsBox(hull, boxes[i]))).toBe(true);
    }
  }
  const broken = hullOf([...boxes, box([0, 0], [Number.NaN, 1])]);
  expect(containsBox(broken, boxes[0])).toBe(false);
});
