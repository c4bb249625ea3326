import { BadInputError, messageOf } from '../errors';
import type { Storage } from '../storage/storage';
import { problemsOf } from './check';
import { encodePieces } from './encode';
import { parseReport } from './parse';
import type { Report } from './record';

/** Lines per string. */
const linesPerPiece = 1_000;

/**
 * report.json as UTF-8: one line per field, and within `batches` and `balls` one line per item. A ball takes some 150
 * bytes, so 1,000,000 balls make 150 MB; beyond 512 MB few programs read them as one text (docs/report.md).
 */
export function reportJson(report: Report): Buffer {
  return encodePieces(() => jsonPieces(report));
}

function* jsonPieces(report: Report): Generator<string> {
  const { batches, balls, ...fields } = report;
  yield '{\n';
  for (const [name, value] of Object.entries(fields)) yield `${JSON.stringify(name)}: ${JSON.stringify(value)},\n`;
  yield '"batches": [';
  yield* lines(batches);
  yield '],\n"balls": [';
  yield* lines(balls);
  yield ']\n}\n';
}

function* lines(items: readonly unknown[]): Generator<string> {
  for (let start = 0; start < items.length; start += linesPerPiece) {
    const piece = items.slice(start, start + linesPerPiece).map((item) => JSON.stringify(item));
    yield `${start === 0 ? '\n' : ',\n'}${piece.join(',\n')}`;
  }
  if (items.length > 0) yield '\n';
}

/**
 * Reads report.json below a run's prefix. Throws MissingKeyError where there is none, and BadInputError for one that is
 * not valid.
 */
export async function readReport(storage: Storage, prefix: string): Promise<Report> {
  const key = reportKeys(prefix).json;
  const body = await storage.get(key);
  let report: unknown;
  try {
    report = parseReport(body);
  } catch (error) {
    throw new BadInputError(key, [`is not JSON: ${messageOf(error)}`], { cause: error });
  }
  const problems = problemsOf(report);
  if (problems.length > 0) throw new BadInputError(key, problems);
  return report as Report;
}

/** The keys of a run's report; `prefix` with or without its final slash. */
export function reportKeys(prefix: string): { json: string; csv: string; html: string } {
  const base = prefix.replace(/\/$/, '');
  return { json: `${base}/report.json`, csv: `${base}/report.csv`, html: `${base}/report.html` };
}
