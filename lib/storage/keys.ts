/** The longest key, in UTF-8 bytes (the limit of S3). */
export const longestKey = 1024;

/**
 * Why a string cannot be a key, or undefined when it can. Every implementation of Storage refuses the same keys, so that
 * what runs on files runs on S3, and no key can name a file outside the storage's folder.
 */
export function problemOfKey(key: string): string | undefined {
  if (key === '') return 'is empty';
  return problemOfText(key) ?? problemOfSegments(key.split('/'));
}

/** Refuses what cannot be a key with a TypeError. */
export function checkKey(key: string): void {
  const problem = problemOfKey(key);
  if (problem) throw new TypeError(`storage key ${JSON.stringify(key)} ${problem}`);
}

/** Refuses, with a TypeError, a prefix that no key can have; '' is the prefix of every key. */
export function checkPrefix(prefix: string): void {
  const problem = problemOfText(prefix) ?? problemOfSegments(prefix.split('/').slice(0, -1));
  if (problem) throw new TypeError(`storage prefix ${JSON.stringify(prefix)} ${problem}`);
}

function problemOfText(text: string): string | undefined {
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length > longestKey) return `has ${bytes.length} bytes; at most ${longestKey} are possible`;
  if (text.includes('\0')) return 'contains a NUL character';
  if (text.includes('\\')) return 'contains a backslash; separate segments by /';
  // Half a surrogate pair has no UTF-8 form: two such keys would become the same object.
  if (bytes.toString('utf8') !== text) return 'is not well-formed Unicode';
  return undefined;
}

function problemOfSegments(segments: readonly string[]): string | undefined {
  if (segments.includes('')) return 'has an empty segment; it must not begin or end with / or contain //';
  if (segments.includes('.') || segments.includes('..')) return 'has a segment . or ..';
  return undefined;
}

/** Orders keys by their UTF-8 bytes, as S3 lists them; JavaScript's `<` orders by UTF-16 units, which differs. */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

/** Surrogates stand for code points above U+FFFF, hence go behind U+E000 to U+FFFF. */
function rank(unit: number): number {
  if (unit >= 0xe000) return unit - 0x800;
  return unit >= 0xd800 ? unit + 0x2000 : unit;
}
