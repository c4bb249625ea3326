import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildSync } from 'esbuild';

/** Bundles a TypeScript file of this folder for child processes. Remove `folder` when done. */
export function bundle(file: string): { readonly entry: string; remove(): void } {
  const folder = mkdtempSync(path.join(tmpdir(), 'baverly-pool-'));
  const entry = path.join(folder, 'entry.cjs');
  buildSync({
    entryPoints: [path.join(__dirname, file)],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    outfile: entry,
    logLevel: 'error',
  });
  return { entry, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
