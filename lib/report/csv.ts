import { stringify } from 'csv-stringify/sync';
import { encodePieces } from './encode';
import { type BallVerdict, ballVerdictSchema, type Report } from './record';

/** The columns of report.csv: the fields of a ball, in the order of its schema. */
export const csvColumns = Object.keys(ballVerdictSchema.shape) as (keyof BallVerdict)[];

const linesPerPiece = 10_000;

/** report.csv (RFC 4180, UTF-8, `\n`): a header and one line per ball; a field that a verdict does not have is empty. */
export function reportCsv({ balls }: Report): Buffer {
  return encodePieces(function* () {
    yield stringify([csvColumns]);
    for (let start = 0; start < balls.length; start += linesPerPiece) {
      yield stringify(balls.slice(start, start + linesPerPiece), { columns: csvColumns });
    }
  });
}
