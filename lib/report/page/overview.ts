import { type VerdictName, verdictNames } from '../../verdict';
import { formatCount, formatInterval, formatNoun, formatSeconds, formatShare } from '../format';
import type { Report } from '../record';
import { countsOf, cpuSecondsOf, missingBalls, totalCounts, type VerdictCounts } from '../totals';
import { accuracyChart } from './chart';
import { html, type Markup } from './markup';

const titles: Readonly<Record<VerdictName, string>> = {
  robust: 'robust',
  'not-robust': 'not robust',
  unknown: 'unknown',
  misclassified: 'misclassified',
};

/** Title, state of the run, and what went wrong where something did. */
export function pageHeader(report: Report): Markup {
  const { run, status } = report;
  const states = { done: 'done', incomplete: 'incomplete', failed: 'failed' };
  return html`<header class="page-header">
    <p class="brand">Baverly <span>robustness report</span></p>
    <h1>${lastSegment(run.request.model)}</h1>
    <p class="subtitle">
      <span class="state ${status}">${states[status]}</span>
      on <strong>${run.datasetName}</strong>, ${formatNoun(run.inputs, 'input')} at
      ${report.radii.length === 1 ? 'epsilon' : `${report.radii.length} radii,`}
      ${report.radii.map(({ epsilon }) => epsilon).join(', ')}
    </p>
    ${alert(report)}
  </header>`;
}

function alert(report: Report): Markup | undefined {
  const { status, problems } = report;
  const missing = missingBalls(report);
  if (status === 'done' && problems.length === 0) return undefined;
  const headings = {
    done: 'The run is done, with problems',
    incomplete: 'This run is incomplete',
    failed: 'This run failed',
  };
  return html`<div class="alert ${status}" role="alert">
    <h2>${headings[status]}</h2>
    ${
      missing > 0 &&
      html`<p>
        ${formatNoun(missing, 'ball')} of ${formatCount(missing + report.balls.length)}
        ${missing === 1 ? 'has' : 'have'} no verdict. The certified accuracy counts them as open.
      </p>`
    }
    ${problems.length > 0 && html`<ul>${problems.map((problem) => html`<li>${problem}</li>`)}</ul>`}
  </div>`;
}

/** Headline counts, the chart and the counts of each radius. */
export function overviewSection(report: Report): Markup {
  const counts = totalCounts(report);
  const balls = report.run.inputs * report.radii.length;
  return html`<section id="overview" aria-labelledby="overview-title">
    <h2 id="overview-title" class="visually-hidden">Verdicts</h2>
    <ul class="tiles">
      ${verdictNames.map(
        (name) => html`<li class="tile ${name}">
          <span class="tile-name">${titles[name]}</span>
          <span class="tile-count">${formatCount(counts[name])}</span>
          <span class="tile-share">${formatShare(counts[name] / balls)} of ${formatNoun(balls, 'ball')}</span>
        </li>`,
      )}
    </ul>
    <h2>Certified accuracy</h2>
    <p class="lead">
      The share of inputs that are classified as labelled and proven to stay so within epsilon. Unknown balls could turn out
      either way, so it is an interval.
    </p>
    ${accuracyChart(report)} ${radiiTable(report)}
  </section>`;
}

function radiiTable(report: Report): Markup {
  const row = (title: string, counts: VerdictCounts, total: number, accuracy: string, cpu: number): Markup => html`<tr>
    <th scope="row">${title}</th>
    <td class="number strong">${accuracy}</td>
    <td class="bar-cell">${bar(counts, total)}</td>
    ${verdictNames.map((name) => html`<td class="number">${formatCount(counts[name])}</td>`)}
    <td class="number">${formatSeconds(cpu)}</td>
  </tr>`;
  const { inputs } = report.run;
  return html`<div class="scroll" role="region" aria-label="Verdicts by radius" tabindex="0">
    <table class="plain" id="radii">
      <thead>
        <tr>
          <th scope="col">epsilon</th>
          <th scope="col" class="number">certified accuracy</th>
          <th scope="col" class="bar-cell"><span class="visually-hidden">share of each verdict</span></th>
          ${verdictNames.map((name) => html`<th scope="col" class="number">${titles[name]}</th>`)}
          <th scope="col" class="number">CPU</th>
        </tr>
      </thead>
      <tbody>
        ${report.radii.map((radius) =>
          row(
            radius.epsilon,
            countsOf(radius),
            inputs,
            formatInterval(radius.certifiedAccuracy),
            cpuSecondsOf(report, radius.epsilon),
          ),
        )}
      </tbody>
      ${
        report.radii.length > 1 &&
        html`<tfoot>
          ${row('all', totalCounts(report), inputs * report.radii.length, '', report.cpuSeconds)}
        </tfoot>`
      }
    </table>
  </div>`;
}

/** A stacked bar of the four verdicts; what is missing stays empty. The numbers beside it say the same. */
function bar(counts: VerdictCounts, total: number): Markup {
  const part = (name: VerdictName): Markup | undefined =>
    counts[name] > 0
      ? html`<span class="${name}" style="width: ${((100 * counts[name]) / total).toFixed(3)}%"></span>`
      : undefined;
  return html`<span class="bar" aria-hidden="true">${verdictNames.map(part)}</span>`;
}

function lastSegment(key: string): string {
  return key.split('/').filter(Boolean).at(-1) ?? key;
}
