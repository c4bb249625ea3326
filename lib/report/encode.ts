/**
 * Text that is too large for one string (V8 ends at 2^29 - 24 characters) as one UTF-8 body. The pieces are asked for
 * twice, first to measure and then to write: no more than the body and one piece is in memory at a time. Both passes
 * must give the same pieces; RangeError otherwise.
 */
export function encodePieces(pieces: () => Iterable<string>): Buffer {
  let length = 0;
  for (const piece of pieces()) length += Buffer.byteLength(piece);
  const body = Buffer.allocUnsafe(length);
  let end = 0;
  for (const piece of pieces()) {
    const size = Buffer.byteLength(piece);
    if (end + size > length) throw new RangeError('pieces changed between the two passes');
    end += body.write(piece, end);
  }
  if (end !== length) throw new RangeError('pieces changed between the two passes');
  return body;
}
