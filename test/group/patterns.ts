import { createFingerprints, type Fingerprints, hamming } from '../../lib/group/fingerprint';
import { random } from '../../lib/random';

/** Random patterns around random centres: each bit of a centre is flipped with probability 2^-flips. */
export function planted(
  count: number,
  bits: number,
  clusters: number,
  flips: number,
  seed: number,
): { prints: Fingerprints; cluster: Uint32Array } {
  const rng = random(seed);
  const prints = createFingerprints(count, bits);
  const width = prints.words.length / count;
  const last = bits % 32 === 0 ? 0xffffffff : 2 ** (bits % 32) - 1;
  const word = (): number => Math.floor(rng.uniform() * 2 ** 32);
  const centres = Uint32Array.from({ length: clusters * width }, word);
  const cluster = Uint32Array.from({ length: count }, () => rng.int(clusters));
  for (let row = 0; row < count; row++) {
    for (let w = 0; w < width; w++) {
      let flipped = word();
      for (let i = 1; i < flips; i++) flipped &= word();
      const mask = w === width - 1 ? last : 0xffffffff;
      prints.words[row * width + w] = (centres[cluster[row] * width + w] ^ flipped) & mask;
    }
  }
  return { prints, cluster };
}

/** Mean distance of two members of the same group. */
export function meanDistance(prints: Fingerprints, groups: readonly ArrayLike<number>[]): number {
  let sum = 0;
  let pairs = 0;
  for (const group of groups) {
    for (let i = 0; i < group.length; i++) {
      for (let j = 0; j < i; j++) {
        sum += hamming(prints, group[i], group[j]);
        pairs++;
      }
    }
  }
  return sum / pairs;
}

/** Share of the inputs that belong to the most frequent cluster of their group. */
export function purity(cluster: Uint32Array, groups: readonly Uint32Array[]): number {
  let right = 0;
  let all = 0;
  for (const group of groups) {
    const counts = new Map<number, number>();
    for (const input of group) counts.set(cluster[input], (counts.get(cluster[input]) ?? 0) + 1);
    right += Math.max(...counts.values());
    all += group.length;
  }
  return right / all;
}

export function everyInput(count: number): Uint32Array {
  return Uint32Array.from({ length: count }, (_, i) => i);
}
