import fc from 'fast-check';
import { fixedMemory } from '../../lib/bounds/arena';
import { ascenderIn, ascendPlainly } from '../../lib/search/ascend';
import { createScratch } from '../../lib/search/scratch';
import { unstable } from '../../lib/search/tables';

const bytes = 2 ** 16;
const names = ['alpha', 'kind', 'first', 'second', 'coefficients', 'values'] as const;
type Arrays = { [name in (typeof names)[number]]: Float32Array | Int8Array };

/** Arrays of so many places, in slots of 64 bytes with 99 around them, in the memory but for those that are outside. */
function placed(memory: WebAssembly.Memory, places: number, outside: (name: string) => boolean): Arrays {
  new Float32Array(memory.buffer).fill(99);
  let at = 64;
  const take = (name: string): Float32Array | Int8Array => {
    const View = name === 'kind' ? Int8Array : Float32Array;
    const size = places * View.BYTES_PER_ELEMENT;
    const buffer = outside(name) ? new ArrayBuffer(size) : memory.buffer;
    const start = outside(name) ? 0 : at;
    if (!outside(name)) at += Math.ceil(size / 64) * 64 + 64;
    return new View(buffer, start, places);
  };
  return Object.fromEntries(names.map((name) => [name, take(name)])) as Arrays;
}

const float = fc.oneof(
  { weight: 8, arbitrary: fc.float({ min: -2, max: 2, noNaN: true }) },
  fc.constantFrom(0, -0, 3e38, -3e38, 1e30, 2 ** -149, 1e-25, Number.NaN, Number.POSITIVE_INFINITY),
);
const tables = fc.integer({ min: 0, max: 40 }).chain((places) => {
  const floats = (of: fc.Arbitrary<number> = float) => fc.array(of, { minLength: places, maxLength: places });
  return fc.record({
    places: fc.constant(places),
    alpha: floats(fc.oneof(fc.float({ min: 0, max: 1, noNaN: true }), fc.constant(Number.NaN))),
    kind: floats(fc.constantFrom(unstable, unstable, 1, -1, 0)),
    first: floats(),
    second: floats(fc.float({ min: 0, max: 4, noNaN: true })),
    coefficients: floats(),
    values: floats(),
    rate: fc.double({ min: 1e-3, max: 3, noNaN: true }),
    scale: fc.double({ min: 1, max: 100, noNaN: true }),
  });
});
type Case = typeof tables extends fc.Arbitrary<infer T> ? T : never;

/** Slopes and moments after a step from the case, and all that is around the arrays. */
function after(own: Case, by: 'plain' | 'memory', outside: (name: string) => boolean = () => false) {
  const memory = fixedMemory(bytes)!;
  const arrays = placed(memory, own.places, outside);
  for (const name of names) arrays[name].set(own[name]);
  const step = by === 'plain' ? ascendPlainly : ascenderIn(memory);
  const { alpha, kind, first, second, coefficients, values } = arrays as { [name in keyof Arrays]: Float32Array } & {
    kind: Int8Array;
  };
  step({ alpha, kind, first, second }, coefficients, values, own.rate, own.scale);
  const result = names.map((name) => [...arrays[name]]);
  // Places after the last one, up to three, may hold anything; the next slot may not.
  for (const name of names) {
    const { buffer, byteOffset, byteLength } = arrays[name];
    if (buffer === memory.buffer && byteLength % 16 !== 0 && name !== 'kind')
      new Uint8Array(buffer, byteOffset + byteLength, 16 - (byteLength % 16)).fill(0);
  }
  return { result, around: Buffer.from(memory.buffer.slice(0)) };
}

test('in WebAssembly slopes and moments are the same to the last bit, and nothing else changes', () => {
  fc.assert(
    fc.property(tables, (own) => {
      const [plain, wasm] = [after(own, 'plain'), after(own, 'memory')];
      expect(wasm.result).toEqual(plain.result);
      expect(wasm.around.equals(plain.around)).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test.each(names)('so they are where %s is elsewhere', (name) => {
  fc.assert(
    fc.property(tables, (own) => {
      expect(after(own, 'memory', (one) => one === name).result).toEqual(after(own, 'plain').result);
    }),
    { numRuns: 50 },
  );
});

test.each(['plain', 'memory'] as const)(
  'slopes stay in [0, 1], or NaN, and those that are not unstable as they are: %s',
  (by) => {
    fc.assert(
      fc.property(tables, (own) => {
        const [alpha] = after(own, by).result;
        for (const [i, slope] of alpha.entries()) {
          if (own.kind[i] !== unstable) expect(slope).toBe(Math.fround(own.alpha[i]));
          else if (!Number.isNaN(slope)) expect(slope >= 0 && slope <= 1).toBe(true);
        }
      }),
    );
  },
);

test('a step goes up where the coefficient is positive, by the rate, and stays where it is not', () => {
  const one = { places: 3, kind: [2, 2, 2], first: [0, 0, 0], second: [0, 0, 0], coefficients: [2, 2, -2] };
  const own = { ...one, alpha: [0.5, 0.5, 0.5], values: [3, -3, 3], rate: 0.1 / (1 - 0.9), scale: 1 / (1 - 0.99) };
  for (const by of ['plain', 'memory'] as const) {
    const [alpha] = after(own, by).result;
    expect(alpha.map((slope) => Number(slope.toFixed(5)))).toEqual([0.6, 0.4, 0.5]);
  }
});

test('arrays of a scratch that has seen a call are where WebAssembly ascends, and tables beside them stay', () => {
  const scratch = createScratch();
  for (const [call, places] of [8, 8, 5].entries()) {
    scratch.begin();
    // In the order of tables.ts, with an odd number of bytes first: kinds of the call before lie behind those of a shorter one.
    const kind = scratch.bytes(places).fill(unstable);
    const [alpha, beside, first, second, h, z] = Array.from({ length: 6 }, () => scratch.floats(places));
    for (const array of [h, z]) array.fill(1);
    beside.fill(0.5);
    expect(scratch.ascend === ascendPlainly).toBe(call === 0);
    scratch.ascend({ alpha, kind, first, second }, h, z, 2, 1);
    expect([...alpha]).toEqual(Array(places).fill(1));
    expect([...beside]).toEqual(Array(places).fill(0.5));
  }
});
