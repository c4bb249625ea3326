/**
 * The script of report.html, inlined as it is: every `.data-table` sorts by its headers, filters and turns pages. It only
 * ever sets textContent, so nothing in the data can become markup. Filtering and sorting work on arrays of row
 * numbers; at most one page of rows is in the DOM.
 *
 * The text filter: every word must begin a word of some cell (`robust` is not `not-robust`), or be `column:value` for
 * exactly that value.
 */
export const script = String.raw`'use strict';
const pageSize = 100;
const verdicts = new Set(['robust', 'not-robust', 'unknown', 'misclassified']);
const digits = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 5 });
const count = new Intl.NumberFormat('en-US');

function cellText(column, row) {
  const value = column.values[row];
  if (value === null) return '';
  if (column.kind === 'text') return column.words[value];
  if (column.whole) return String(value);
  return Math.abs(value) < 1e-4 && value !== 0 ? value.toExponential() : digits.format(value);
}

function fillCell(cell, column, row) {
  const text = cellText(column, row);
  cell.className = column.kind;
  if (column.verdict && verdicts.has(text)) {
    const mark = document.createElement('span');
    mark.className = 'verdict ' + text;
    mark.textContent = text.replace('-', ' ');
    cell.append(mark);
  } else {
    cell.textContent = text;
    if (text.length > 40) cell.title = text;
  }
}

/** For one word of the filter: a function row -> boolean. */
function matcher(columns, term) {
  const colon = term.indexOf(':');
  const named = colon > 0 && columns.find((column) => column.key.toLowerCase() === term.slice(0, colon));
  if (named) {
    const wanted = term.slice(colon + 1);
    if (named.kind === 'number') {
      const number = wanted === '' ? NaN : Number(wanted);
      return (row) => named.values[row] !== null && named.values[row] === number;
    }
    const words = named.words.map((word) => word.toLowerCase() === wanted);
    return (row) => named.values[row] !== null && words[named.values[row]];
  }
  const tests = columns.flatMap((column) => {
    if (column.kind === 'text') {
      const words = column.words.map((word) => word.toLowerCase().split(/\s+/).some((part) => part.startsWith(term)));
      return words.includes(true) ? [(row) => column.values[row] !== null && words[column.values[row]]] : [];
    }
    return column.whole && /^\d+$/.test(term)
      ? [(row) => column.values[row] !== null && String(column.values[row]).startsWith(term)]
      : [];
  });
  return (row) => tests.some((test) => test(row));
}

/** Sorts row numbers in place; absent values come last either way, equal ones in the order of the data. */
function sortRows(rows, values, direction) {
  rows.sort((a, b) => {
    const left = values[a];
    const right = values[b];
    if (left === right) return a - b;
    if (left === null) return 1;
    if (right === null) return -1;
    return direction * (left - right);
  });
}

function startTable(root) {
  const { noun, count: total, columns } = JSON.parse(root.querySelector('script[type="application/json"]').textContent);
  const headers = [...root.querySelectorAll('th')];
  const body = root.querySelector('tbody');
  const search = root.querySelector('input[type="search"]');
  const selects = [...root.querySelectorAll('select')];
  const status = root.querySelector('.status');
  const place = root.querySelector('.place');
  const buttons = [...root.querySelectorAll('.pager button')];
  let rows = [];
  let page = 0;
  let sorted = null;

  function lastPage() {
    return Math.max(0, Math.ceil(rows.length / pageSize) - 1);
  }

  function show(wanted) {
    page = Math.min(Math.max(wanted, 0), lastPage());
    const fragment = document.createDocumentFragment();
    for (const row of rows.slice(page * pageSize, (page + 1) * pageSize)) {
      const line = document.createElement('tr');
      for (const column of columns) fillCell(line.appendChild(document.createElement('td')), column, row);
      fragment.append(line);
    }
    body.replaceChildren(fragment);
    const all = rows.length === total ? '' : ' of ' + count.format(total);
    status.textContent = count.format(rows.length) + all + ' ' + noun;
    place.textContent = 'page ' + count.format(page + 1) + ' of ' + count.format(lastPage() + 1);
    for (const button of buttons) {
      const back = button.dataset.go === 'first' || button.dataset.go === 'previous';
      button.disabled = back ? page === 0 : page === lastPage();
    }
    root.classList.toggle('one-page', lastPage() === 0);
  }

  function update() {
    const terms = search.value.toLowerCase().split(/\s+/).filter((term) => term !== '');
    const tests = terms.map((term) => matcher(columns, term));
    for (const select of selects) {
      if (select.value === '') continue;
      const { values } = columns[Number(select.dataset.column)];
      const wanted = Number(select.value);
      tests.push((row) => values[row] === wanted);
    }
    rows = [];
    for (let row = 0; row < total; row++) if (tests.every((test) => test(row))) rows.push(row);
    if (sorted) sortRows(rows, columns[sorted.column].values, sorted.direction);
    show(0);
  }

  headers.forEach((header, column) => {
    header.querySelector('button').addEventListener('click', () => {
      const direction = sorted && sorted.column === column ? -sorted.direction : 1;
      sorted = { column, direction };
      for (const other of headers) other.setAttribute('aria-sort', 'none');
      header.setAttribute('aria-sort', direction === 1 ? 'ascending' : 'descending');
      update();
    });
  });
  search.addEventListener('input', update);
  for (const select of selects) select.addEventListener('change', update);
  const targets = { first: () => 0, previous: () => page - 1, next: () => page + 1, last: lastPage };
  for (const button of buttons) {
    button.addEventListener('click', () => {
      show(targets[button.dataset.go]());
      root.querySelector('.scroll').scrollTop = 0;
    });
  }
  // Browsers keep what was typed across a reload.
  update();
}

for (const root of document.querySelectorAll('.data-table')) startTable(root);
`;
