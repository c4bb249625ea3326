import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { random } from '../../lib/random';
import {
  type Checkpoint,
  type CheckpointSubject,
  decodeCheckpoint,
  encodeCheckpoint,
  type OpenRegion,
  questionHash,
} from '../../lib/search/checkpoint';

const subject: CheckpointSubject = { model: 'm', engine: 'e', question: 'q', rows: 3 };
const checkpoint: Checkpoint = {
  proven: 0.25,
  regions: [
    {
      assumed: [],
      rows: [0, 2],
      level: 3,
      leaves: [
        {
          row: 2,
          cuts: [
            [0, 4, 1, 0],
            [1, 3, -1, 0.5],
          ],
        },
        { row: 0, cuts: [] },
      ],
    },
    { assumed: [[0, 1, -1]], rows: [1], margin: -0.5, level: 1 },
  ],
};

test('comes back as it was', () => {
  expect(decodeCheckpoint(encodeCheckpoint(subject, checkpoint), subject)).toEqual({ kind: 'accepted', checkpoint });
});

test.each([
  ['model', { model: 'n' }],
  ['engine', { engine: 'f' }],
  ['question', { question: 'r' }],
  ['number of rows', { rows: 4 }],
])('of another %s it is foreign', (_, change) => {
  const bytes = encodeCheckpoint(subject, checkpoint);
  expect(decodeCheckpoint(bytes, { ...subject, ...change })).toEqual({ kind: 'refused', why: 'foreign' });
});

test('no damage is accepted as a different checkpoint', () => {
  const bytes = encodeCheckpoint(subject, checkpoint);
  const json = gunzipSync(bytes);
  const whole = JSON.stringify(decodeCheckpoint(bytes, subject));
  let [accepted, refused] = [0, 0];
  const count = (damaged: Uint8Array): void => {
    const result = decodeCheckpoint(damaged, subject);
    if (result.kind === 'refused') refused++;
    // A bit of the gzip header that says nothing of the content.
    else if (JSON.stringify(result) !== whole) accepted++;
  };
  for (let length = 0; length < bytes.length; length++) count(bytes.subarray(0, length));
  const rng = random(5);
  for (let n = 0; n < 400; n++) {
    for (const [original, wrap] of [
      [bytes, (b: Uint8Array) => b],
      [json, (b: Uint8Array) => gzipSync(b)],
    ] as const) {
      const flipped = Uint8Array.from(original);
      flipped[rng.int(flipped.length)] ^= 1 << rng.int(8);
      count(wrap(flipped));
    }
  }
  // Also an entry taken out by something that computes the hash anew: the count tells.
  const { body } = JSON.parse(json.toString());
  const less = JSON.parse(body) as { regions: OpenRegion[] };
  less.regions.pop();
  const text = JSON.stringify(less);
  const sha256 = createHash('sha256').update(text).digest('hex');
  count(gzipSync(JSON.stringify({ sha256, body: text })));
  expect(accepted).toBe(0);
  expect(refused).toBeGreaterThan(800);
});

test('rows that the question does not have, or a leaf of a row that its region does not list, are refused', () => {
  const regions: OpenRegion[][] = [
    [{ assumed: [], rows: [3], level: 0 }],
    [{ assumed: [], rows: [0], level: 0, leaves: [{ row: 1, cuts: [] }] }],
    [{ assumed: [], rows: [0], level: 0, leaves: [] }],
    [{ assumed: [], rows: [], level: 0 }],
    [],
  ];
  for (const list of regions) {
    const bytes = encodeCheckpoint(subject, { regions: list });
    expect(decodeCheckpoint(bytes, subject)).toEqual({ kind: 'refused', why: 'damaged' });
  }
});

test('a tree of very many leaves starts anew, with its region', () => {
  const leaves = Array.from({ length: 30_000 }, (_, i) => ({ row: 0, cuts: [[0, i, 1, 0] as const] }));
  const bytes = encodeCheckpoint(subject, { regions: [{ assumed: [], rows: [0], level: 0, leaves }] });
  const result = decodeCheckpoint(bytes, subject);
  expect(result).toEqual({ kind: 'accepted', checkpoint: { regions: [{ assumed: [], rows: [0], level: 0 }] } });
  expect(bytes.length).toBeLessThan(1000);
});

test('the hash of a question names every bound and every functional', () => {
  const box = { lower: Float64Array.of(0, 1), upper: Float64Array.of(1, 2) };
  const rows = [{ coefficients: Float64Array.of(1, -1), offset: 0 }];
  const others = [
    questionHash(box, rows),
    questionHash({ ...box, upper: Float64Array.of(1, 2 + 2 ** -50) }, rows),
    questionHash(box, [...rows, ...rows]),
    questionHash(box, [{ ...rows[0], offset: 1e-300 }]),
    questionHash({ lower: Float64Array.of(0), upper: Float64Array.of(1, 1, 2) }, rows),
  ];
  expect(new Set(others).size).toBe(others.length);
});
