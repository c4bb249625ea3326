import { zipSync } from 'fflate';
import type { Digits } from './digits';
import { imageSize } from './pen';

/**
 * The set as a numpy archive: x uint8 [count, imageSize, imageSize] and y int32 [count]. Equal sets give equal bytes,
 * for every entry carries the same date.
 */
export function toNpz({ count, images, labels }: Digits): Uint8Array {
  const labelBytes = Buffer.alloc(4 * count);
  for (let i = 0; i < count; i++) labelBytes.writeInt32LE(labels[i], 4 * i);
  const arrays = {
    'x.npy': npy('|u1', [count, imageSize, imageSize], images),
    'y.npy': npy('<i4', [count], labelBytes),
  };
  return zipSync(arrays, { level: 9, mtime: new Date(1980, 0, 1) });
}

/** An array as a .npy file of version 1.0 (numpy.lib.format): magic, header padded to a multiple of 64, values. */
function npy(type: '|u1' | '<i4', shape: readonly number[], values: Uint8Array): Uint8Array {
  const header = `{'descr': '${type}', 'fortran_order': False, 'shape': (${shape.join(', ')},), }`;
  const start = Math.ceil((10 + header.length + 1) / 64) * 64;
  const head = Buffer.alloc(start, ' ');
  head.write('\x93NUMPY\x01\x00', 'latin1');
  head.writeUInt16LE(start - 10, 8);
  head.write(header, 10);
  head.write('\n', start - 1);
  return Buffer.concat([head, values]);
}
