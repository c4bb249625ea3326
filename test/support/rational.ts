/** A rational number; the denominator is > 0. Floats are dyadic rationals, so arithmetic on them is exact. */
export interface Rational {
  readonly n: bigint;
  readonly d: bigint;
}

const bits = new DataView(new ArrayBuffer(8));

/** The exact value of a finite float64. */
export function rational(value: number): Rational {
  if (!Number.isFinite(value)) throw new RangeError(`${value} is no rational number`);
  bits.setFloat64(0, value);
  const word = bits.getBigUint64(0);
  const exponent = Number((word >> 52n) & 0x7ffn);
  const fraction = word & 0xfffffffffffffn;
  const mantissa = exponent === 0 ? fraction : fraction | (1n << 52n);
  const signed = word >> 63n === 1n ? -mantissa : mantissa;
  const power = Math.max(exponent, 1) - 1075;
  return power >= 0 ? { n: signed << BigInt(power), d: 1n } : reduced(signed, 1n << BigInt(-power));
}

export const zero: Rational = { n: 0n, d: 1n };

export function add(a: Rational, b: Rational): Rational {
  if (a.n === 0n) return b;
  if (b.n === 0n) return a;
  return a.d === b.d ? reduced(a.n + b.n, a.d) : reduced(a.n * b.d + b.n * a.d, a.d * b.d);
}

export function multiply(a: Rational, b: Rational): Rational {
  return a.n === 0n || b.n === 0n ? zero : reduced(a.n * b.n, a.d * b.d);
}

/** a / b, b not 0 */
export function divide(a: Rational, b: Rational): Rational {
  return b.n < 0n ? reduced(-a.n * b.d, -b.n * a.d) : reduced(a.n * b.d, a.d * b.n);
}

export function negate({ n, d }: Rational): Rational {
  return { n: -n, d };
}

/** < 0, 0 or > 0 as a is less than, equal to or greater than b. */
export function compare(a: Rational, b: Rational): number {
  const difference = a.n * b.d - b.n * a.d;
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** The float64 nearest to it, to a few units in the last place; for messages and for choosing numbers near it. */
export function approximate({ n, d }: Rational): number {
  const shift = BigInt(Math.max(0, d.toString(2).length + 64 - n.toString(2).length));
  const quotient = (n << shift) / d;
  const cut = BigInt(Math.max(0, quotient.toString(2).length - 64));
  return Number(quotient >> cut) * 2 ** (Number(cut) - Number(shift));
}

function reduced(n: bigint, d: bigint): Rational {
  // Most denominators are powers of two, and so are their divisors.
  if ((d & (d - 1n)) === 0n) {
    const power = n === 0n ? d : n & -n;
    return power < d ? { n: n / power, d: d / power } : { n: n / d, d: 1n };
  }
  let a = n < 0n ? -n : n;
  let b = d;
  while (b !== 0n) [a, b] = [b, a % b];
  return a === 1n ? { n, d } : { n: n / a, d: d / a };
}
