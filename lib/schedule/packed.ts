import { BadInputError } from '../errors';

const largest = 0xffffffff;

/**
 * A strictly ascending list of ids (integers of [0, 2^32)) as short text: the first id and then the gaps less one, as
 * little-endian base-128 varints, in base64. 256 ids scattered over a million take some 700 characters, 256
 * consecutive ones 344. Throws a RangeError where the list is not ascending or an id is out of range.
 */
export function packIds(ids: ArrayLike<number>): string {
  const bytes = Buffer.allocUnsafe(ids.length * 5);
  let end = 0;
  let previous = -1;
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i];
    if (!(Number.isInteger(id) && id <= largest && id > previous)) {
      throw new RangeError(`ids must ascend within [0, 2^32): id ${i} is ${id} after ${previous}`);
    }
    let gap = id - previous - 1;
    while (gap >= 0x80) {
      bytes[end++] = (gap & 0x7f) | 0x80;
      gap = Math.floor(gap / 0x80);
    }
    bytes[end++] = gap;
    previous = id;
  }
  return bytes.toString('base64', 0, end);
}

/**
 * The ids of `packIds`. Only the text that `packIds` itself would write is accepted (so equal lists are equal texts);
 * anything else is a BadInputError.
 */
export function unpackIds(text: string): Uint32Array {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.toString('base64') !== text) throw malformed(text, 'it is not base64');
  const ids = new Uint32Array(bytes.reduce((count, byte) => count + (byte < 0x80 ? 1 : 0), 0));
  let count = 0;
  let previous = -1;
  let gap = 0;
  let unit = 1;
  for (const byte of bytes) {
    gap += (byte & 0x7f) * unit;
    if (byte >= 0x80) {
      unit *= 0x80;
      if (unit > 2 ** 28) throw malformed(text, `number ${count} has more than five bytes`);
      continue;
    }
    if (byte === 0 && unit > 1) throw malformed(text, `number ${count} is longer than it needs to be`);
    previous += gap + 1;
    if (previous > largest) throw malformed(text, `id ${count} is ${previous}, above 2^32 - 1`);
    ids[count++] = previous;
    gap = 0;
    unit = 1;
  }
  if (unit > 1) throw malformed(text, 'it ends within a number');
  return ids;
}

function malformed(text: string, problem: string): BadInputError {
  const shown = text.length > 40 ? `${text.slice(0, 40)}...` : text;
  return new BadInputError(`packed ids ${JSON.stringify(shown)}`, [`${problem}; the plan line was cut or edited`]);
}
