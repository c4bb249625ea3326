import type { Programs } from '../bounds/programs';
import { floatTensor } from '../bounds/sessions';
import { chooseBits, createFingerprints, type Fingerprints, packPattern } from './fingerprint';

/** Bits kept of a pattern: beyond a thousand, more of them hardly change which balls are near each other. */
export const mostBits = 1024;
const sampled = 512;
const pointsPerCall = 64;

/**
 * The activation patterns of a network at `count` points, `point(i)` each [inputSize]: one bit per ReLU that the scores depend on, or the
 * `mostBits` that vary most over a sample where there are more.
 */
export async function fingerprintsAt(
  programs: Programs,
  count: number,
  point: (index: number) => Float32Array,
): Promise<Fingerprints> {
  const chosen = await chosenBits(programs, sampledPoints(count), point);
  return fingerprintsOf(programs, { length: count }, point, chosen);
}

/** Points, evenly spread over all, whose patterns tell which bits are kept. */
export function sampledPoints(count: number): number[] {
  const total = Math.min(sampled, count);
  return Array.from({ length: total }, (_, i) => Math.floor((i * count) / total));
}

/** Which ReLUs are recorded: those that vary most over the sample. Empty where no ReLU depends on the input: all balls are alike. */
export async function chosenBits(
  programs: Programs,
  sample: readonly number[],
  point: (index: number) => Float32Array,
): Promise<Uint32Array> {
  let inSample: Fingerprints | undefined;
  await forEachPattern(programs, sample, point, (row, pattern) => {
    inSample ??= createFingerprints(sample.length, pattern.length);
    packPattern(inSample, row, pattern);
  });
  return inSample === undefined ? new Uint32Array(0) : chooseBits(inSample, mostBits);
}

/** The patterns at points `first` ... `first + length - 1`, one row each, of the chosen ReLUs. */
export async function fingerprintsOf(
  programs: Programs,
  { first = 0, length }: { readonly first?: number; readonly length: number },
  point: (index: number) => Float32Array,
  chosen: Uint32Array,
): Promise<Fingerprints> {
  if (chosen.length === 0) return createFingerprints(length, 1);
  const prints = createFingerprints(length, chosen.length);
  const everyone = Array.from({ length }, (_, i) => first + i);
  await forEachPattern(programs, everyone, point, (row, pattern) => packPattern(prints, row, pattern, chosen));
  return prints;
}

/** Calls back with the pre-activations of all ReLUs at each point, in the order of `indices`. */
async function forEachPattern(
  programs: Programs,
  indices: readonly number[],
  point: (index: number) => Float32Array,
  use: (row: number, preActivations: Float32Array) => void,
): Promise<void> {
  const session = await programs.gradient();
  const { inputSize, classes } = programs.network;
  for (let start = 0; start < indices.length; start += pointsPerCall) {
    const part = indices.slice(start, start + pointsPerCall);
    const x = new Float32Array(part.length * inputSize);
    for (const [i, index] of part.entries()) x.set(point(index), i * inputSize);
    const out = await session.run({
      x: floatTensor(x, part.length),
      coefficients: floatTensor(new Float32Array(part.length * classes), part.length),
    });
    const layers = Object.keys(out).filter((name) => name.startsWith('pre'));
    for (const i of part.keys()) {
      const own = layers.map((name) => {
        const size = out[name].length / part.length;
        return out[name].subarray(i * size, (i + 1) * size);
      });
      const all = new Float32Array(own.reduce((sum, layer) => sum + layer.length, 0));
      let at = 0;
      for (const layer of own) {
        all.set(layer, at);
        at += layer.length;
      }
      use(start + i, all);
    }
  }
}
