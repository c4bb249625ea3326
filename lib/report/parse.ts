import { linesOf } from '../storage/lines';

/** Bytes up to which a report is read as one text; V8 ends at 2^29 - 24 characters. */
const largestText = 2 ** 28;

/**
 * The value of report.json. One that is too large for a text is read by lines, as `reportJson` writes them: a field a line, and an item of
 * `batches` and `balls` a line.
 *
 * @throws SyntaxError for what is no JSON; RangeError for what is too large and has other lines
 */
export function parseReport(body: Uint8Array, largest = largestText): unknown {
  if (body.byteLength <= largest) return JSON.parse(new TextDecoder().decode(body));
  const fields: string[] = [];
  const lists = new Map<string, unknown[]>();
  let list: unknown[] | undefined;
  for (const line of linesOf(body)) {
    const [, opened] = /^"(batches|balls)": \[$/.exec(line) ?? [];
    if (opened !== undefined) {
      list = [];
      lists.set(opened, list);
    } else if (list === undefined) fields.push(line);
    else if (/^\],?$/.test(line)) list = undefined;
    else list.push(JSON.parse(line.replace(/,$/, '')));
  }
  // The lists stand last in the object.
  const outer = fields.join('\n').replace(/,(\s*\})\s*$/, '$1');
  return { ...JSON.parse(outer), ...Object.fromEntries(lists) };
}
