import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Machine } from './machine';

/** The repository's root. */
export const root = path.join(__dirname, '../..');

/** Writes `bench/results/<name>.json`: what was measured, and where. Lists of objects have one line per item. */
export function writeResult(name: string, machine: Machine, result: object): void {
  const file = path.join(root, 'bench', 'results', `${name}.json`);
  const body = Object.entries({ machine, ...result }).map(([key, value]) => {
    const isList = Array.isArray(value) && typeof value[0] === 'object';
    const text = isList
      ? `[\n${value.map((item) => `    ${JSON.stringify(item)}`).join(',\n')}\n  ]`
      : JSON.stringify(value);
    return `  ${JSON.stringify(key)}: ${text}`;
  });
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `{\n${body.join(',\n')}\n}\n`);
  console.log(`written: ${path.relative(root, file)}`);
}

/** A Markdown table; the first column is text, the others are numbers. */
export function markdownTable(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), `|---|${'---:|'.repeat(head.length - 1)}`, ...rows.map(line)].join('\n');
}

/** Renews the text between `<!-- bench:<name> -->` and `<!-- /bench:<name> -->` of a Markdown file of the repository. */
export function renewBlock(file: string, name: string, text: string): void {
  const full = path.join(root, file);
  const before = readFileSync(full, 'utf8');
  const [begin, end] = [`<!-- bench:${name} -->`, `<!-- /bench:${name} -->`];
  const [from, to] = [before.indexOf(begin), before.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${file} has no block ${begin} ... ${end}`);
  writeFileSync(
    full,
    `${before.slice(0, from + begin.length)}
${text}
${before.slice(to)}`,
  );
  console.log(`renewed: ${file}, block ${name}`);
}
