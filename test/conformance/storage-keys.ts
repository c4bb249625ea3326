/** Keys that S3 allows and a file system may not, or may mix up. */
export const strangeKeys: readonly string[] = [
  'runs/x/report.json',
  '.hidden',
  '...',
  'a/..b/c..',
  '-',
  '~',
  ' ',
  ' leading and trailing ',
  'a/ /b',
  'percent%25/100%',
  'percent%/100%25',
  '%object',
  '%folder/x',
  'x%object',
  'x%folder/y',
  'x%more/y',
  'x/y',
  '%temporary',
  '%temporary/x',
  'quotes\'"`',
  'query?a=b&c=d#e+f',
  'a+b c%20d',
  '<xml>&amp;</xml>',
  '*:|;,@!$()[]{}^=',
  'tab\tand\nnewline\u0001\u007f',
  'größe/ﬁ/漢字/😀',
  'e\u0301',
  '\u00e9',
  `long/${'x'.repeat(255)}`,
  `long/${'x'.repeat(256)}`,
  `long/${'x'.repeat(256)}/y`,
  `long/${'x'.repeat(1000)}`,
  `long/${'%'.repeat(500)}`,
  `long/${'😀'.repeat(200)}`,
  'y'.repeat(1024),
  `${'z/'.repeat(100)}zz`,
];

/** What is not a key. */
export const refusedKeys: readonly string[] = [
  '',
  '/',
  '/etc/passwd',
  'a/',
  'a//b',
  '.',
  '..',
  '../a',
  'a/../b',
  'a/./b',
  'a/..',
  './a',
  'a\\b',
  '..\\a',
  'a\0b',
  'x'.repeat(1025),
  'é'.repeat(513),
  'half \ud83d pair',
];

/** Rows of a title that is never long and the text itself. */
export function titled(texts: readonly string[]): (readonly [string, string])[] {
  return texts.map((text) => [text.length > 60 ? `${text.slice(0, 10)}... (${text.length})` : text, text]);
}

/** What no key begins with. */
export const refusedPrefixes: readonly string[] = [
  '/',
  '/a',
  'a//',
  '../',
  'a/../',
  './',
  'a\\',
  'a\0',
  'x'.repeat(1025),
];
