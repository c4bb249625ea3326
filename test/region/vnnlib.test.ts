import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { labelOf, misclassification, type Violation } from '../../lib/region/violation';
import { type Property, parseVnnlib, readVnnlib } from '../../lib/region/vnnlib';
import { problemsOf } from '../support/problems';
import { describeWithData, sharedData } from '../support/shared-data';

const declare = (inputs: number, outputs: number) =>
  [
    ...Array.from({ length: inputs }, (_, i) => `(declare-const X_${i} Real)`),
    ...Array.from({ length: outputs }, (_, i) => `(declare-const Y_${i} Real)`),
  ].join('\n');

const unit = (inputs: number) =>
  Array.from({ length: inputs }, (_, i) => `(assert (>= X_${i} 0))(assert (<= X_${i} 1))`).join('\n');

/** The properties of a file on the unit box of `inputs`, given its further assertions. */
const parsed = (assertions: string, inputs = 1, outputs = 3) =>
  parseVnnlib(`${declare(inputs, outputs)}\n${unit(inputs)}\n${assertions}`, 'p');

/** Conjunctions of [coefficients..., offset]. */
const plain = (violation: Violation) =>
  violation.map((conjunction) => conjunction.map(({ coefficients, offset }) => [...coefficients, offset]));

const plainBox = ({ box }: Property) => Array.from(box.lower, (lower, i) => [lower, box.upper[i]]);

describe('output constraints', () => {
  test.each<[string, string, number[][][]]>([
    ['a comparison', '(assert (<= Y_0 Y_2))', [[[-1, 0, 1, 0]]]],
    ['either order', '(assert (>= Y_2 Y_0))', [[[-1, 0, 1, 0]]]],
    ['a constant on the right', '(assert (>= Y_1 2.5))', [[[0, 1, 0, -2.5]]]],
    ['a constant on the left', '(assert (>= 2.5 Y_1))', [[[0, -1, 0, 2.5]]]],
    [
      'strict comparisons as non-strict ones',
      '(assert (< Y_0 Y_1))(assert (> Y_0 Y_2))',
      [
        [
          [-1, 1, 0, 0],
          [1, 0, -1, 0],
        ],
      ],
    ],
    ['a negative numeral', '(assert (<= Y_0 (- 1e-3)))', [[[-1, 0, 0, -0.001]]]],
    ['a linear term', '(assert (<= (+ (* 2.0 Y_0) (* Y_1 -1.5) 3) (- Y_2 1)))', [[[-2, 1.5, 1, -4]]]],
    ['a negated variable', '(assert (>= (- Y_0) Y_1))', [[[-1, -1, 0, 0]]]],
    ['cancelling terms', '(assert (>= (- Y_0 Y_1) (- Y_0 Y_2)))', [[[0, -1, 1, 0]]]],
    ['a disjunction', '(assert (or (>= Y_0 Y_1) (and (>= Y_1 Y_2))))', [[[1, -1, 0, 0]], [[0, 1, -1, 0]]]],
    ['nested', '(assert (or (or (>= Y_0 0) (>= Y_1 0)) (>= Y_2 0)))', [[[1, 0, 0, 0]], [[0, 1, 0, 0]], [[0, 0, 1, 0]]]],
    [
      'a conjunction over a disjunction, multiplied out',
      '(assert (and (>= Y_0 1) (or (>= Y_1 2) (>= Y_2 3))))',
      [
        [
          [1, 0, 0, -1],
          [0, 1, 0, -2],
        ],
        [
          [1, 0, 0, -1],
          [0, 0, 1, -3],
        ],
      ],
    ],
    [
      'several assertions, conjoined',
      '(assert (or (>= Y_0 1) (>= Y_0 2)))(assert (>= Y_1 3))(assert (or (>= Y_2 4) (>= Y_2 5)))',
      [1, 2].flatMap((a) =>
        [4, 5].map((b) => [
          [0, 1, 0, -3],
          [1, 0, 0, -a],
          [0, 0, 1, -b],
        ]),
      ),
    ],
  ])('%s', (_, assertions, expected) => {
    const properties = parsed(assertions);
    expect(properties.map(plainBox)).toEqual([[[0, 1]]]);
    expect(plain(properties[0].violation)).toEqual(expected);
  });
});

describe('input boxes', () => {
  test('the tightest bounds count, in either order, as the nearest float64', () => {
    const text =
      '(assert (<= X_0 0.1))(assert (<= 0.029999999329447746 X_0))(assert (>= X_0 (- 5)))(assert (>= Y_0 Y_1))';
    expect(parsed(text).map(plainBox)).toEqual([[[Math.fround(0.03), 0.1]]]);
  });

  test('a disjunction over boxes gives a property each; equal boxes share one', () => {
    const text = `(assert (or
      (and (<= X_0 0.5) (>= Y_0 Y_1))
      (and (>= X_0 0.5) (<= X_1 0.25) (>= Y_0 Y_1))
      (and (>= X_0 0.5) (<= X_1 0.25) (>= Y_0 Y_2))
      (>= Y_2 Y_0)))`;
    const properties = parsed(text, 2);
    expect(properties.map(plainBox)).toEqual([
      [
        [0, 0.5],
        [0, 1],
      ],
      [
        [0.5, 1],
        [0, 0.25],
      ],
      [
        [0, 1],
        [0, 1],
      ],
    ]);
    expect(properties.map(({ violation }) => plain(violation))).toEqual([
      [[[1, -1, 0, 0]]],
      [[[1, -1, 0, 0]], [[1, 0, -1, 0]]],
      [[[-1, 0, 1, 0]]],
    ]);
  });

  test('missing and crossed bounds are listed', () => {
    const text = `${declare(8, 2)}
      (assert (<= X_0 1))(assert (>= X_1 0))(assert (<= X_1 -1))(assert (>= Y_0 Y_1))`;
    expect(problemsOf(() => parseVnnlib(text, 'p'))).toEqual([
      'no lower bound of X_0, X_2, X_3, X_4, X_5 and 2 more: assert one',
      'no upper bound of X_2, X_3, X_4, X_5, X_6 and 1 more: assert one',
      'the box is empty: 0 <= X_1 <= -1 (in all: X_1)',
    ]);
    expect(problemsOf(() => parsed('(assert (or\n(>= Y_0 Y_1)\n(and (>= X_0 2) (>= Y_0 Y_2))))'))).toEqual([
      'line 8: the box is empty: 2 <= X_0 <= 1 (in all: X_0)',
    ]);
  });

  test('without output constraints there is no question', () => {
    expect(problemsOf(() => parsed(''))).toEqual(['no assertion compares outputs, so there is nothing to verify']);
  });
});

test('commands without meaning for the property, comments and quoted symbols are passed over', () => {
  const text =
    '(set-logic QF_LRA)(set-info :source |a (b\n;c|)(set-info :x "d)")\n; (assert (\n(assert (>= Y_0 Y_1))(check-sat)(exit)';
  expect(plain(parsed(text)[0].violation)).toEqual([[[1, -1, 0, 0]]]);
});

test('lines are counted through comments and quoted text', () => {
  const text = '(set-info :source |a\nb|)\n; (\n(assert (not 1))';
  expect(problemsOf(() => parsed(text))).toEqual(['line 9: not is not read: and, or, <= and >= are']);
});

test('all problems of the form are listed with their lines', () => {
  const text = `(declare-const X_0 Real)
(declare-const X_0 Real)
(declare-const X_2 Real)
(declare-const Z Real)
(declare-const Y_0 Int)
(declare-const Y_0 Real)
(assert (< X_0 1))
(assert (>= (+ X_0 1) 2))
(assert (>= X_0 Y_0))
(assert (>= Y_0 Y_7))
(assert (= Y_0 1))
(assert (not (>= Y_0 1)))
(assert (>= (* Y_0 Y_0) 1))
(assert (>= (/ Y_0 2) 1))
(assert (>= Y_0 1e999))
(assert (>= 2 1))
(assert (>= Y_0))
(assert (>= (+ (* 0.1 Y_0) (* 0.2 Y_0)) 1))
(assert (>= (+ Y_0 0.1) 0.7))
(assert Y_0)
(assert (and))
(assert)
(define-fun f () Real 1)
`;
  expect(problemsOf(() => parseVnnlib(text, 'p'))).toEqual([
    'line 2: X_0 is declared twice',
    'line 4: (declare-const Z Real) is not (declare-const X_i Real) or Y_i',
    'line 5: (declare-const Y_0 Int) is not (declare-const X_i Real) or Y_i',
    'X_1 is not declared, but later ones are',
    'line 7: (< X_0 1): leaves out the edge of the input box: write <=',
    'line 8: (>= (+ X_0 1) 2): an input may only be compared with a number: (<= X_i number) or (>= X_i number)',
    'line 9: (>= X_0 Y_0): an input may only be compared with a number: (<= X_i number) or (>= X_i number)',
    'line 10: (>= Y_0 Y_7): Y_7 is not declared',
    'line 11: (= Y_0 1): write an equation as two comparisons, <= and >=',
    'line 12: not is not read: and, or, <= and >= are',
    'line 13: (>= (* Y_0 Y_0) 1): (* Y_0 Y_0) is no product of a number and a variable',
    'line 14: (>= (/ Y_0 2) 1): (/ Y_0 2) is no linear term: +, - and (* number variable) are read',
    'line 15: (>= Y_0 1e999): 1e999 is neither a number nor a variable X_i or Y_i',
    'line 16: (>= 2 1): compares two numbers',
    'line 17: (>= Y_0) does not compare two terms',
    'line 18: (>= (+ (* 0.1 Y_0) (* 0.2 Y_0)) 1): coefficients of Y_0 do not add up exactly in float64: combine them',
    'line 19: (>= (+ Y_0 0.1) 0.7): constants do not add up exactly in float64: combine them',
    'line 20: Y_0 is no formula: and, or, <= and >= are read',
    'line 21: (and) has no operands',
    'line 22: (assert) is not read: declare-const and (assert formula) are',
    'line 23: (define-fun f () Real 1) is not read: declare-const and (assert formula) are',
  ]);
});

test('parentheses, quotes, depth and size are limited', () => {
  expect(problemsOf(() => parsed('(assert (>= Y_0 Y_1)'))).toEqual([
    'line 6: this "(" is never closed: is the file whole?',
  ]);
  expect(problemsOf(() => parsed('(assert (>= Y_0 Y_1))\n)'))).toEqual(['line 7: this ")" closes nothing']);
  expect(problemsOf(() => parsed('(set-info "a)'))[0]).toBe('line 6: this " is never closed');
  expect(problemsOf(() => parsed('('.repeat(100_000)))).toContain('line 6: more than 500 parentheses are open');
  const either = '(assert (or (>= Y_0 1) (>= Y_0 2)))'.repeat(14);
  expect(problemsOf(() => parsed(either))).toEqual([
    'the assertions multiply out to more than 10000 cases: split the file',
  ]);
});

test('a far-off index costs no memory', () => {
  const text = '(declare-const X_0 Real)(declare-const Y_4000000000 Real)(assert (>= Y_4000000000 1))';
  expect(problemsOf(() => parseVnnlib(text, 'p'))).toEqual(['Y_0 is not declared, but later ones are']);
});

test('an empty file', () => {
  expect(problemsOf(() => parseVnnlib('', 'p'))).toEqual([
    'no input X_0, X_1, ... is declared',
    'no output Y_0, Y_1, ... is declared',
  ]);
});

test('round trip: robustness of generated boxes and labels, gzipped or not', () => {
  const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
  const boxes = fc.array(fc.tuple(finite, finite), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(boxes, fc.integer({ min: 2, max: 6 }), fc.nat(5), (pairs, classes, drawn) => {
      const label = drawn % classes;
      // + 0: a zero is written without its sign.
      const bounds = pairs.map(([a, b]) => [Math.min(a, b) + 0, Math.max(a, b) + 0]);
      const others = Array.from({ length: classes }, (_, k) => k).filter((k) => k !== label);
      const text = [
        declare(bounds.length, classes),
        ...bounds.map(([lower, upper], i) => `(assert (<= X_${i} ${upper}))(assert (>= X_${i} ${lower}))`),
        `(assert (or ${others.map((k) => `(and (>= Y_${k} Y_${label}))`).join('')}))`,
      ].join('\n');
      const bytes = new TextEncoder().encode(text);
      const [property, ...rest] = readVnnlib(bytes, 'p');
      expect(rest).toEqual([]);
      expect(plainBox(property)).toEqual(bounds);
      expect(property.violation).toEqual(misclassification(label, classes));
      expect(labelOf(property.violation)).toBe(label);
      expect(readVnnlib(gzipSync(bytes), 'p.gz')).toEqual([property]);
    }),
  );
});

describeWithData('VNN-COMP 2022', () => {
  test.each([
    ['mnist_fc', 784, 30],
    ['oval21', 3072, 10],
  ])('%s', (folder, inputs, files) => {
    const names = readdirSync(sharedData(path.join('vnnlib', folder)));
    expect(names).toHaveLength(files);
    const times: number[] = [];
    for (const name of names) {
      const packed = readFileSync(sharedData(path.join('vnnlib', folder, name)));
      const start = process.cpuUsage();
      const properties = readVnnlib(packed, name);
      times.push(process.cpuUsage(start).user / 1000);
      expect(properties).toHaveLength(1);
      const [{ box, violation }] = properties;
      expect(box.lower).toHaveLength(inputs);
      expect(violation).toHaveLength(9);
      expect(violation.every((conjunction) => conjunction[0].coefficients.length === 10)).toBe(true);
      const text = gunzipSync(packed).toString();
      const beaten = new Set(Array.from(text.matchAll(/\([<>]= Y_\d+ Y_(\d+)\)/g), ([, label]) => Number(label)));
      const beating = new Set(Array.from(text.matchAll(/\([<>]= Y_(\d+) Y_\d+\)/g), ([, label]) => Number(label)));
      const [label] = beaten.size === 1 ? beaten : beating;
      expect(labelOf(violation)).toBe(label);
      for (const i of [0, 1, inputs - 1]) {
        expect(text).toContain(`(<= X_${i} ${decimal(box.upper[i])})`);
        expect(text).toContain(`(>= X_${i} ${decimal(box.lower[i])})`);
      }
    }
    // Milliseconds of the best file, so that a busy machine does not decide.
    expect(Math.min(...times)).toBeLessThan(200);
  });
});

const decimal = (value: number) => (Number.isInteger(value) ? value.toFixed(1) : String(value));
