import fc from 'fast-check';
import { type RawValues, shapeText, sizeOf } from '../../lib/dataset/dataset';
import { parseNpy, writeNpy } from '../../lib/dataset/npy';
import { problemsOf } from '../support/problems';

/** A file as numpy 2.4 writes it: preamble, header text padded to a multiple of 64 bytes, values. */
function npy(header: string, body: Uint8Array, version = 1): Uint8Array {
  const preamble = version === 1 ? 10 : 12;
  const start = Math.ceil((preamble + header.length + 1) / 64) * 64;
  const text = header.padEnd(start - preamble - 1);
  const length =
    version === 1 ? [(start - 10) & 255, (start - 10) >> 8] : [(start - 12) & 255, (start - 12) >> 8, 0, 0];
  return Uint8Array.of(0x93, ...Buffer.from('NUMPY'), version, 0, ...length, ...Buffer.from(`${text}\n`), ...body);
}

const header = (descr: string, shape: string, fortran = 'False') =>
  `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': ${shape}, }`;

const hex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));

describe('files written by numpy 2.4', () => {
  test.each<[string, string, readonly number[], RawValues]>([
    [
      'float32, column-major',
      'k05VTVBZAQB2AHsnZGVzY3InOiAnPGY0JywgJ2ZvcnRyYW5fb3JkZXInOiBUcnVlLCAnc2hhcGUnOiAoMiwgMyksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAABAQAAAgD8AAIBAAAAAQAAAoEA=',
      [2, 3],
      Float32Array.of(0, 1, 2, 3, 4, 5),
    ],
    [
      'int16, big-endian, column-major, three dimensions',
      'k05VTVBZAQB2AHsnZGVzY3InOiAnPmkyJywgJ2ZvcnRyYW5fb3JkZXInOiBUcnVlLCAnc2hhcGUnOiAoMiwgMywgNCksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAMAAQAEAAIABQAAQANAAUAEQAJABUAAgAOAAYAEgAKABYAAwAPAAcAEwALABc=',
      [2, 3, 4],
      Float64Array.from({ length: 24 }, (_, i) => i),
    ],
    [
      'int64, version 3',
      'k05VTVBZAwB0AAAAeydkZXNjcic6ICc8aTgnLCAnZm9ydHJhbl9vcmRlcic6IEZhbHNlLCAnc2hhcGUnOiAoMiwgMyksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAAAAAAEAAAAAAAAAAgAAAAAAAAADAAAAAAAAAAQAAAAAAAAABQAAAAAAAAA=',
      [2, 3],
      Float64Array.of(0, 1, 2, 3, 4, 5),
    ],
  ])('%s', (_, base64, shape, values) => {
    expect(parseNpy(Uint8Array.from(Buffer.from(base64, 'base64')), 'a')).toEqual({ shape, values });
  });
});

test.each<[string, string, RawValues]>([
  ['|u1', '00 ff', Uint8Array.of(0, 255)],
  ['|b1', '00 01', Uint8Array.of(0, 1)],
  ['|i1', '80 7f', Float64Array.of(-128, 127)],
  ['<u2', 'ffff 0100', Float64Array.of(65535, 1)],
  ['<i2', '00ff 0100', Float64Array.of(-256, 1)],
  ['<u4', 'ffffffff 01000000', Float64Array.of(4294967295, 1)],
  ['>i4', 'ffffffff 00000100', Float64Array.of(-1, 256)],
  ['<i8', 'ffffffffffffffff 0000000000001000', Float64Array.of(-1, 2 ** 52)],
  ['>u8', '0000000000000001 0010000000000000', Float64Array.of(1, 2 ** 52)],
  ['>f4', '3f800000 bf000000', Float32Array.of(1, -0.5)],
  ['<f8', '000000000000f03f 000000000000e0bf', Float64Array.of(1, -0.5)],
])('dtype %s', (descr, body, values) => {
  expect(parseNpy(npy(header(descr, '(2,)'), hex(body)), 'a')).toEqual({ shape: [2], values });
});

test('a header of version 2 has four bytes of length', () => {
  expect(parseNpy(npy(header('|u1', '(1, 2)'), hex('0102'), 2), 'a').shape).toEqual([1, 2]);
});

test('what is written is read back', () => {
  const shapes = fc.array(fc.nat(4), { maxLength: 4 });
  const values = (shape: number[]) => {
    const length = { minLength: sizeOf(shape), maxLength: sizeOf(shape) };
    return fc.record({
      shape: fc.constant(shape),
      values: fc.oneof(
        fc.uint8Array(length),
        fc.float32Array(length),
        fc.float64Array(length),
      ) as fc.Arbitrary<RawValues>,
    });
  };
  fc.assert(
    fc.property(shapes.chain(values), (tensor) => {
      const file = writeNpy(tensor);
      expect((file.length - tensor.values.byteLength) % 64).toBe(0);
      expect(parseNpy(file, 'a')).toEqual(tensor);
    }),
  );
});

test('shape and values must agree when writing', () => {
  expect(() => writeNpy({ shape: [3], values: Uint8Array.of(1) })).toThrow(RangeError);
});

describe('what is wrong is said', () => {
  const good = npy(header('<f4', '(2,)'), new Uint8Array(8));
  test.each<[string, Uint8Array, string[]]>([
    ['another format', hex('504b0304'), ['does not start with the npy magic: is it a .npy file?']],
    ['a later version', good.with(6, 4), ['npy version 4 is unknown (1 to 3 are)']],
    ['the header is cut', good.subarray(0, 40), ['ends inside its header: fetch the file again']],
    ['the preamble is cut', good.subarray(0, 9), ['ends inside its header: fetch the file again']],
    [
      'the values are cut',
      good.subarray(0, good.length - 1),
      ['is truncated: its header says shape (2) of f4 (8 bytes), it holds 7 bytes'],
    ],
    [
      'bytes are left over',
      Uint8Array.of(...good, 0),
      ['has bytes left over: its header says shape (2) of f4 (8 bytes), it holds 9 bytes'],
    ],
    [
      'an unreadable type and a broken header',
      npy("{'descr': '|O', 'shape': (2, 'a'), }", new Uint8Array(8)),
      [
        'dtype |O is not read: save as uint8, float32, float64 or an integer type',
        'the header lacks fortran_order',
        'the header lacks a shape of whole numbers',
      ],
    ],
    [
      'records',
      npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }", new Uint8Array(8)),
      ['dtype of records is not read: save as uint8, float32, float64 or an integer type'],
    ],
    [
      'a huge integer',
      npy(header('<i8', '(1,)'), hex('0100000000002000')),
      ['value 9007199254740993 at 0 is beyond 2^53'],
    ],
  ])('%s', (_, file, problems) => {
    expect(problemsOf(() => parseNpy(file, 'a'))).toEqual(problems);
  });
});

test('shapes read as in numpy', () => {
  expect(shapeText([2, 3])).toBe('[2, 3]');
  expect(parseNpy(npy(header('<f4', '()'), new Uint8Array(4)), 'a')).toEqual({ shape: [], values: Float32Array.of(0) });
});
