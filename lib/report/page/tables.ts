import { verdictNames } from '../../verdict';
import { formatCount, formatNumber, formatSeconds, roundDown } from '../format';
import { type BallVerdict, type BatchSummary, batchSummarySchema, type Report } from '../record';
import { type Column, dataTable } from './data-table';
import { html, type Markup } from './markup';

/** More rows than this make the page slow to open; report.csv and report.json have all of them. */
export const tableLimit = 200_000;

const digits = 5;

const batchKinds = batchSummarySchema.shape.kind.options;

/** The table of balls: all of them, or of a very large run those that are not robust first. */
export function ballsSection(report: Report): Markup {
  const rows = mostInteresting(report.balls, tableLimit);
  const cut =
    rows.length < report.balls.length &&
    html` This page holds ${formatCount(rows.length)} of ${formatCount(report.balls.length)} balls, the robust ones last;
      report.csv has them all.`;
  return html`<section id="balls" aria-labelledby="balls-title">
    <h2 id="balls-title">Balls</h2>
    <p class="lead">
      One row per input and radius. Click a header to sort. Words in the filter must begin a word of the row;
      <code>label:7</code> or <code>input:12</code> asks for exactly that value.${cut}
    </p>
    ${dataTable({
      id: 'balls-table',
      noun: 'balls',
      rows,
      columns: ballColumns(report),
      example: 'not-robust label:7',
    })}
  </section>`;
}

function ballColumns({ run }: Report): Column<BallVerdict>[] {
  const radii = radiiOf(run);
  return [
    { kind: 'number', key: 'input', title: 'input', whole: true, value: (ball) => ball.index },
    { kind: 'number', key: 'label', title: 'label', whole: true, value: (ball) => ball.label },
    { kind: 'text', key: 'epsilon', title: 'epsilon', order: radii, choice: 'Epsilon', value: (ball) => ball.epsilon },
    {
      kind: 'text',
      key: 'verdict',
      title: 'verdict',
      order: verdictNames,
      choice: 'Verdict',
      verdict: true,
      value: (ball) => ball.verdict,
    },
    { kind: 'text', key: 'reason', title: 'reason', hint: 'why it is unknown', value: (ball) => ball.reason },
    { kind: 'text', key: 'by', title: 'settled by', choice: 'Settled by', value: (ball) => ball.settledBy },
    {
      kind: 'number',
      key: 'predicted',
      title: 'predicted',
      hint: 'the class the model gives: for the counterexample, or for a misclassified input',
      whole: true,
      value: (ball) => ball.predicted,
    },
    {
      kind: 'number',
      key: 'margin',
      title: 'margin ≥',
      hint: 'proven lower bound of the smallest margin, rounded down',
      value: ({ margin }) => (margin === undefined ? undefined : roundDown(margin, digits)),
    },
    { kind: 'number', key: 'cpu', title: 'CPU s', value: (ball) => Number(ball.cpuSeconds.toPrecision(3)) },
    { kind: 'text', key: 'batch', title: 'mini-batch', value: (ball) => ball.batch },
  ];
}

/** Mini-batches by what they were planned for, and each of them. */
export function batchesSection(report: Report): Markup {
  if (report.batches.length === 0) return html``;
  const rows = report.batches.slice(0, tableLimit);
  const cut =
    rows.length < report.batches.length &&
    html` This page holds the first ${formatCount(rows.length)} of ${formatCount(report.batches.length)}.`;
  return html`<section id="batches" aria-labelledby="batches-title">
    <h2 id="batches-title">Mini-batches</h2>
    <p class="lead">
      Which mini-batch of similar balls settled what. <em>First</em> holds balls that were never tried, <em>suspect</em>
      the one ball that a failing mini-batch gave up, <em>rest</em> what remained of failing ones, whatever their labels (then none is shown), and
      <em>retry</em> follows a crash or time-out. Open balls went on to a later mini-batch or ended as unknown.${cut}
    </p>
    ${kindTable(report.batches)}
    ${dataTable({ id: 'batches-table', noun: 'mini-batches', rows, columns: batchColumns(report), example: 'suspect label:7' })}
  </section>`;
}

function kindTable(batches: readonly BatchSummary[]): Markup {
  const kinds = batchKinds.flatMap((kind) => {
    const members = batches.filter((batch) => batch.kind === kind);
    return members.length === 0 ? [] : [{ kind, members }];
  });
  return html`<div class="scroll" role="region" aria-label="Mini-batches by kind" tabindex="0">
    <table class="plain">
      <thead>
        <tr>
          <th scope="col">kind</th>
          ${['mini-batches', 'mean size', 'robust', 'not robust', 'open', 'CPU', 'settled per CPU second'].map(
            (title) => html`<th scope="col" class="number">${title}</th>`,
          )}
        </tr>
      </thead>
      <tbody>
        ${kinds.map(({ kind, members }) => {
          const sum = (of: (batch: BatchSummary) => number): number =>
            members.reduce((total, batch) => total + of(batch), 0);
          const cpuSeconds = sum((batch) => batch.cpuSeconds);
          const settled = sum((batch) => batch.robust + batch.notRobust);
          const cells = [
            formatCount(members.length),
            formatNumber(sum((batch) => batch.size) / members.length),
            formatCount(sum((batch) => batch.robust)),
            formatCount(sum((batch) => batch.notRobust)),
            formatCount(sum((batch) => batch.open)),
            formatSeconds(cpuSeconds),
            cpuSeconds > 0 ? formatNumber(settled / cpuSeconds) : '',
          ];
          return html`<tr>
            <th scope="row">${kind}</th>
            ${cells.map((cell) => html`<td class="number">${cell}</td>`)}
          </tr>`;
        })}
      </tbody>
    </table>
  </div>`;
}

/** As the user wrote them, from the smallest on. */
function radiiOf({ request }: Report['run']): string[] {
  return request.epsilons.toSorted((a, b) => a.value - b.value).map(({ text }) => text);
}

function batchColumns({ run }: Report): Column<BatchSummary>[] {
  const radii = radiiOf(run);
  return [
    { kind: 'text', key: 'batch', title: 'mini-batch', value: (batch) => batch.id },
    { kind: 'number', key: 'round', title: 'round', whole: true, value: (batch) => batch.round },
    { kind: 'text', key: 'kind', title: 'kind', order: batchKinds, choice: 'Kind', value: (batch) => batch.kind },
    {
      kind: 'text',
      key: 'epsilon',
      title: 'epsilon',
      order: radii,
      choice: 'Epsilon',
      value: (batch) => batch.epsilon,
    },
    { kind: 'number', key: 'label', title: 'label', whole: true, value: (batch) => batch.label },
    { kind: 'number', key: 'size', title: 'size', whole: true, value: (batch) => batch.size },
    { kind: 'number', key: 'robust', title: 'robust', whole: true, value: (batch) => batch.robust },
    { kind: 'number', key: 'not-robust', title: 'not robust', whole: true, value: (batch) => batch.notRobust },
    { kind: 'number', key: 'open', title: 'open', whole: true, value: (batch) => batch.open },
    { kind: 'number', key: 'cpu', title: 'CPU s', value: (batch) => Number(batch.cpuSeconds.toPrecision(3)) },
    { kind: 'text', key: 'error', title: 'error', value: (batch) => batch.error },
  ];
}

function mostInteresting(balls: readonly BallVerdict[], limit: number): readonly BallVerdict[] {
  if (balls.length <= limit) return balls;
  const robust = (ball: BallVerdict): number => (ball.verdict === 'robust' ? 1 : 0);
  return balls.toSorted((a, b) => robust(a) - robust(b)).slice(0, limit);
}
