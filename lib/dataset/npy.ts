import { BadInputError, messageOf } from '../errors';
import { type RawValues, sizeOf, type Tensor } from './dataset';
import { decodeElements, type ElementType, elementSize, elementTypes, littleEndianBytes } from './elements';

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/** Whether the file starts with the npy magic, `\x93NUMPY`. */
export function looksLikeNpy(bytes: Uint8Array): boolean {
  return magic.every((byte, i) => bytes[i] === byte);
}

interface Header {
  readonly type: ElementType;
  readonly littleEndian: boolean;
  readonly fortran: boolean;
  readonly shape: readonly number[];
  /** Where the values start. */
  readonly start: number;
}

/**
 * A numpy array file, versions 1 to 3 (numpy.lib.format), in either byte order and either memory order; the result is
 * row-major. Integers other than uint8 become float64. Throws BadInputError with all problems of the header, or when the
 * size does not fit the shape.
 */
export function parseNpy(bytes: Uint8Array, name: string): Tensor {
  const { type, littleEndian, fortran, shape, start } = parseHeader(bytes, name);
  const expected = sizeOf(shape) * elementSize(type);
  const body = bytes.subarray(start);
  if (body.length !== expected) {
    const what = body.length < expected ? 'is truncated' : 'has bytes left over';
    throw new BadInputError(name, [
      `${what}: its header says shape (${shape.join(', ')}) of ${type} (${expected} bytes), it holds ${body.length} bytes`,
    ]);
  }
  try {
    const values = decodeElements(body, type, littleEndian);
    return { shape, values: fortran ? rowMajor(values, shape) : values };
  } catch (error) {
    throw new BadInputError(name, [messageOf(error)], { cause: error });
  }
}

function parseHeader(bytes: Uint8Array, name: string): Header {
  if (!looksLikeNpy(bytes)) throw new BadInputError(name, ['does not start with the npy magic: is it a .npy file?']);
  const version = bytes[6];
  if (!(version >= 1 && version <= 3))
    throw new BadInputError(name, [`npy version ${version} is unknown (1 to 3 are)`]);
  const lengthBytes = version === 1 ? 2 : 4;
  const textStart = 8 + lengthBytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const ends = 'ends inside its header: fetch the file again';
  if (bytes.length < textStart) throw new BadInputError(name, [ends]);
  const start = textStart + (version === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  if (bytes.length < start) throw new BadInputError(name, [ends]);
  return { ...parseDictionary(new TextDecoder().decode(bytes.subarray(textStart, start)), name), start };
}

/** The header's Python literal: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }. */
function parseDictionary(text: string, name: string): Omit<Header, 'start'> {
  const problems: string[] = [];
  const descr = /'descr':\s*'([^']*)'/.exec(text)?.[1];
  const [, order, code] = /^([<>|=]?)(.+)$/.exec(descr ?? '') ?? [];
  const type = code === 'b1' ? 'u1' : elementTypes.find((known) => known === code);
  if (type === undefined) {
    problems.push(`dtype ${descr ?? 'of records'} is not read: save as uint8, float32, float64 or an integer type`);
  }
  const fortran = /'fortran_order':\s*(True|False)/.exec(text)?.[1];
  if (fortran === undefined) problems.push('the header lacks fortran_order');
  const shapeText = /'shape':\s*\(([\d\s,]*)\)/.exec(text)?.[1];
  if (shapeText === undefined) problems.push('the header lacks a shape of whole numbers');
  if (type === undefined || fortran === undefined || shapeText === undefined) throw new BadInputError(name, problems);
  const shape = shapeText
    .split(',')
    .filter((part) => part.trim() !== '')
    .map(Number);
  return { type, littleEndian: order !== '>', fortran: fortran === 'True', shape };
}

/** Column-major to row-major: walks the source in file order, the last index of the target fastest. */
function rowMajor(values: RawValues, shape: readonly number[]): RawValues {
  const out = values.slice();
  const strides = shape.map((_, axis) => sizeOf(shape.slice(0, axis)));
  const index = new Array<number>(shape.length).fill(0);
  let source = 0;
  for (let target = 0; target < out.length; target++) {
    out[target] = values[source];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      source += strides[axis];
      if (++index[axis] < shape[axis]) break;
      source -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  return out;
}

/** The array as a .npy file (version 1.0, little-endian, row-major), readable by `numpy.load`. */
export function writeNpy(tensor: Tensor): Uint8Array {
  const { shape, values } = tensor;
  if (sizeOf(shape) !== values.length) throw new RangeError(`${values.length} values for shape [${shape.join(', ')}]`);
  const descr = values instanceof Uint8Array ? '|u1' : values instanceof Float32Array ? '<f4' : '<f8';
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${tuple}), }`;
  // The values start at a multiple of 64 bytes; the header is padded with spaces and ends in a newline.
  const start = Math.ceil((10 + text.length + 1) / 64) * 64;
  const file = new Uint8Array(start + values.byteLength).fill(0x20, 0, start);
  file.set([...magic, 1, 0]);
  new DataView(file.buffer).setUint16(8, start - 10, true);
  file.set(new TextEncoder().encode(text), 10);
  file[start - 1] = 0x0a;
  file.set(littleEndianBytes(values), start);
  return file;
}
