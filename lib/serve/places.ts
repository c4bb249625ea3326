import path from 'node:path';

/** Where `serve` keeps what is no object, below its root. No key leads there: a `%` of a key is written as `%25`. */
export function serveFolder(root: string): string {
  return path.join(root, '%serve');
}
