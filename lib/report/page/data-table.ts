import { html, jsonMarkup, type Markup, type Part } from './markup';

interface ColumnBase<Row> {
  readonly key: string;
  readonly title: string;
  /** Written out of the header for screen readers and as its tooltip, where the title is short. */
  readonly hint?: string;
  readonly value: (row: Row) => string | number | undefined;
}

export interface NumberColumn<Row> extends ColumnBase<Row> {
  readonly kind: 'number';
  /** Whole numbers are found by the text filter, and written without thousands separators (indices). */
  readonly whole?: boolean;
}

export interface TextColumn<Row> extends ColumnBase<Row> {
  readonly kind: 'text';
  /** The order of known values when sorting; others follow, in natural order. */
  readonly order?: readonly string[];
  /** Offers its values as a choice above the table. */
  readonly choice?: string;
  /** Shown as a verdict, with its colour. */
  readonly verdict?: boolean;
}

export type Column<Row> = NumberColumn<Row> | TextColumn<Row>;

export interface DataTable<Row> {
  readonly id: string;
  /** What a row is, in the plural: `balls`. */
  readonly noun: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  /** An example for the text filter. */
  readonly example: string;
}

/**
 * A table that the page's script sorts, filters and shows in pages: the rows travel as one JSON array per column (texts as
 * indices into their distinct values) and become DOM nodes only while they are on the page that is shown.
 */
export function dataTable<Row>({ id, noun, columns, rows, example }: DataTable<Row>): Markup {
  const encoded = columns.map((column) => encodeColumn(column, rows));
  const data = { noun, count: rows.length, columns: encoded };
  return html`<div class="data-table" id="${id}">
    <div class="controls" role="search" aria-label="Filter ${noun}">
      <label class="search">
        <span>Filter</span>
        <input type="search" placeholder="${example}" autocomplete="off" spellcheck="false" />
      </label>
      ${columns.map((column, k) => column.kind === 'text' && column.choice !== undefined && choice(column.choice, k, encoded[k]))}
      <p class="status" role="status" aria-live="polite"></p>
    </div>
    <div class="scroll" role="region" aria-label="Table of ${noun}" tabindex="0">
      <table>
        <thead>
          <tr>
            ${columns.map(
              (column) => html`<th scope="col" class="${column.kind}" aria-sort="none">
                <button type="button" ${column.hint === undefined ? '' : html`title="${column.hint}"`}>${column.title}</button>
              </th>`,
            )}
          </tr>
        </thead>
        <tbody></tbody>
      </table>
    </div>
    <nav class="pager" aria-label="Pages of ${noun}">
      ${pagerButton('first', 'First')} ${pagerButton('previous', 'Previous')}
      <span class="place"></span>
      ${pagerButton('next', 'Next')} ${pagerButton('last', 'Last')}
    </nav>
    <noscript><p class="fine">Without JavaScript this table stays empty; report.json has the same rows.</p></noscript>
    <script type="application/json">${jsonMarkup(data)}</script>
  </div>`;
}

interface EncodedColumn {
  readonly key: string;
  readonly kind: 'number' | 'text';
  readonly whole?: boolean;
  readonly verdict?: boolean;
  /** The distinct texts, in sorting order; null is the absent value. */
  readonly words?: readonly string[];
  /** Numbers, or indices into `words`; null is the absent value. */
  readonly values: readonly (number | null)[];
}

function encodeColumn<Row>(column: Column<Row>, rows: readonly Row[]): EncodedColumn {
  const { key, value } = column;
  if (column.kind === 'number') {
    const values = rows.map((row) => (value(row) as number | undefined) ?? null);
    return { key, kind: 'number', values, ...(column.whole && { whole: true }) };
  }
  const texts = rows.map(value) as (string | undefined)[];
  const words = sortedWords(texts, column.order ?? []);
  const rank = new Map(words.map((word, k) => [word, k]));
  const values = texts.map((text) => (text === undefined ? null : (rank.get(text) ?? null)));
  return { key, kind: 'text', words, values, ...(column.verdict && { verdict: true }) };
}

function sortedWords(texts: readonly (string | undefined)[], order: readonly string[]): string[] {
  const present = new Set(texts.filter((text) => text !== undefined));
  const known = order.filter((word) => present.has(word));
  const natural = new Intl.Collator('en', { numeric: true });
  const others = [...present].filter((word) => !order.includes(word)).sort(natural.compare);
  return [...known, ...others];
}

function choice(title: string, column: number, { words = [] }: EncodedColumn): Part {
  if (words.length < 2) return undefined;
  return html`<label class="choice">
    <span>${title}</span>
    <select data-column="${column}">
      <option value="">all</option>
      ${words.map((word, k) => html`<option value="${k}">${word}</option>`)}
    </select>
  </label>`;
}

function pagerButton(name: string, title: string): Markup {
  return html`<button type="button" data-go="${name}">${title}</button>`;
}
