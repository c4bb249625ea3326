import { parse } from 'csv-parse/sync';
import { BadInputError, messageOf } from '../errors';
import type { Tensor } from './dataset';

/** So many bad rows are described one by one. */
const described = 10;

/**
 * A table of numbers, one item a row. A first row whose first cell is not a number is a header and left out. Throws
 * BadInputError naming the bad rows: cells that are not numbers, and rows of another length than the first.
 */
export function parseCsv(bytes: Uint8Array, name: string): Tensor {
  const rows: Float64Array[] = [];
  const problems: string[] = [];
  let bad = 0;
  let first = true;
  const report = (problem: string) => {
    if (++bad <= described) problems.push(problem);
  };
  const onRecord = (cells: string[], { lines }: { lines: number }) => {
    const mayBeHeader = first;
    first = false;
    if (mayBeHeader && !isNumber(cells[0])) return null;
    const row = Float64Array.from(cells, Number);
    const column = cells.findIndex((cell, i) => !Number.isFinite(row[i]) || cell === '');
    if (column >= 0) report(`line ${lines}, column ${column + 1}: ${JSON.stringify(cells[column])} is not a number`);
    else if (rows.length > 0 && row.length !== rows[0].length) {
      report(`line ${lines} has ${row.length} cells, the first row has ${rows[0].length}`);
    } else rows.push(row);
    return null;
  };
  try {
    parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), {
      bom: true,
      trim: true,
      skip_empty_lines: true,
      relax_column_count: true,
      on_record: onRecord,
    });
  } catch (error) {
    throw new BadInputError(name, [`is not a table of comma-separated values: ${messageOf(error)}`], { cause: error });
  }
  if (bad > described) problems.push(`and ${bad - described} more such rows`);
  if (problems.length > 0) throw new BadInputError(name, problems);
  if (rows.length === 0) throw new BadInputError(name, ['has no rows of numbers']);
  const columns = rows[0].length;
  const values = new Float64Array(rows.length * columns);
  rows.forEach((row, i) => {
    values.set(row, i * columns);
  });
  return { shape: [rows.length, columns], values };
}

function isNumber(cell: string): boolean {
  return cell !== '' && Number.isFinite(Number(cell));
}

/** Splits a table whose first column is the label. Throws BadInputError when there is no other column. */
export function splitLabelColumn(table: Tensor, name: string): { readonly inputs: Tensor; readonly labels: Tensor } {
  const [rows, columns] = table.shape;
  if (columns < 2) {
    throw new BadInputError(name, ['has one column; a row is the label, then the values of the input']);
  }
  const values = new Float64Array(rows * (columns - 1));
  const labels = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    labels[i] = table.values[i * columns];
    values.set(table.values.subarray(i * columns + 1, (i + 1) * columns), i * (columns - 1));
  }
  return { inputs: { shape: [rows, columns - 1], values }, labels: { shape: [rows], values: labels } };
}
