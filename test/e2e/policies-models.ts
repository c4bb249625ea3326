/** The model with a low bit of one weight changed: another version that classifies the same. */
export function retouched(model: Uint8Array, bit = 1): Uint8Array {
  const copy = Uint8Array.from(model);
  const { weight } = floatsIn(copy);
  copy[weight] ^= bit;
  return copy;
}

/** The model with its classes' weights noisier, so that some balls are broken. */
export function worsened(model: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(model);
  const { weight, bytes } = floatsIn(copy);
  const view = new DataView(copy.buffer, copy.byteOffset);
  for (let at = weight, k = 0; at + 4 <= weight + bytes; at += 4, k++) {
    const value = view.getFloat32(at, true);
    view.setFloat32(at, value * (k % 2 === 0 ? 1.6 : 0.55), true);
  }
  return copy;
}

/** Where the largest tensor of raw float32 data lies: `raw_data` (field 9) of a TensorProto, by its length. */
function floatsIn(model: Uint8Array): { weight: number; bytes: number } {
  let best = { weight: 0, bytes: 0 };
  for (let at = 0; at < model.length - 4; at++) {
    if (model[at] !== 0x4a) continue;
    let [bytes, shift, next] = [0, 0, at + 1];
    for (; model[next] & 0x80; next++, shift += 7) bytes |= (model[next] & 0x7f) << shift;
    bytes |= model[next] << shift;
    if (bytes > best.bytes && bytes % 4 === 0 && next + 1 + bytes <= model.length) best = { weight: next + 1, bytes };
  }
  return best;
}
