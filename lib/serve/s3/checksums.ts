import { createHash } from 'node:crypto';

/** A reflected 32-bit CRC, by its (reversed) polynomial. */
function crc32(polynomial: number): (body: Uint8Array) => string {
  const table = Uint32Array.from({ length: 256 }, (_, byte) => {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ polynomial : value >>> 1;
    return value;
  });
  return (body) => {
    let value = 0xffffffff;
    for (const byte of body) value = (value >>> 8) ^ table[(value ^ byte) & 255];
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(~value >>> 0);
    return bytes.toString('base64');
  };
}

/** A reflected 64-bit CRC in two halves of 32 bits. */
function crc64(polynomialHigh: number, polynomialLow: number): (body: Uint8Array) => string {
  const [highs, lows] = [new Uint32Array(256), new Uint32Array(256)];
  for (let byte = 0; byte < 256; byte++) {
    let [high, low] = [0, byte];
    for (let bit = 0; bit < 8; bit++) {
      const isOdd = low & 1;
      low = (low >>> 1) | (high << 31);
      high >>>= 1;
      if (isOdd) [high, low] = [high ^ polynomialHigh, low ^ polynomialLow];
    }
    [highs[byte], lows[byte]] = [high, low];
  }
  return (body) => {
    let [high, low] = [0xffffffff, 0xffffffff];
    for (const byte of body) {
      const place = (low ^ byte) & 255;
      low = ((low >>> 8) | (high << 24)) ^ lows[place];
      high = (high >>> 8) ^ highs[place];
    }
    const bytes = Buffer.alloc(8);
    bytes.writeUInt32BE(~high >>> 0);
    bytes.writeUInt32BE(~low >>> 0, 4);
    return bytes.toString('base64');
  };
}

/** The checksum algorithms of `x-amz-checksum-<name>`, each giving the value of that header (base64). */
export const checksums: Readonly<Record<string, (body: Uint8Array) => string>> = {
  crc32: crc32(0xedb88320),
  crc32c: crc32(0x82f63b78),
  crc64nvme: crc64(0x9a6c9329, 0xac4bc9b5),
  sha1: (body) => createHash('sha1').update(body).digest('base64'),
  sha256: (body) => createHash('sha256').update(body).digest('base64'),
};

export const md5 = (body: Uint8Array) => createHash('md5').update(body).digest();
