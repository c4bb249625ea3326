import { formatCount, formatNumber, formatSeconds, formatShare, formatUsd } from '../format';
import type { Report } from '../record';
import { unknownReasons } from '../totals';
import { html, type Markup, type Part } from './markup';

/** What each reason means and what helps; other reasons are shown as they are. */
const reasonHelp: Readonly<Record<string, string>> = {
  'search not run': 'The bound was not enough and branch and bound did not run on this ball.',
  time: 'The time per ball was used up. More seconds per ball may settle it.',
  memory: 'The search ran out of memory. A larger machine, or more memory per Lambda, may settle it.',
  budget: 'The budget of the run was used up. A resumed run goes on where this one ended.',
  numerics: 'The margin is smaller than the rounding error of the computation, so neither answer is proven.',
  crash: 'Every attempt to verify it ended in a crash or was killed.',
};

/** Why balls are unknown, counted; nothing where none is. */
export function reasonsSection(report: Report): Markup {
  const reasons = unknownReasons(report);
  if (reasons.length === 0) return html``;
  return html`<section id="reasons" aria-labelledby="reasons-title">
    <h2 id="reasons-title">Why balls are unknown</h2>
    <div class="scroll" role="region" aria-label="Reasons of unknown balls" tabindex="0">
      <table class="plain">
        <thead>
          <tr>
            <th scope="col">reason</th>
            <th scope="col" class="number">balls</th>
            <th scope="col">meaning</th>
          </tr>
        </thead>
        <tbody>
          ${reasons.map(
            ([reason, count]) => html`<tr>
              <th scope="row">${reason}</th>
              <td class="number">${formatCount(count)}</td>
              <td>${Object.hasOwn(reasonHelp, reason) && reasonHelp[reason]}</td>
            </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </section>`;
}

/** What the run cost on AWS, by service, or would have cost. */
export function costSection({ cost }: Report): Markup {
  if (cost === undefined) return html``;
  return html`<section id="cost" aria-labelledby="cost-title">
    <h2 id="cost-title">${cost.kind === 'aws' ? 'Cost' : 'What it would have cost on AWS'}</h2>
    <p class="lead">
      ${formatUsd(cost.usd)}, ${formatUsd(cost.usdPerBall)} a ball, at the prices of ${cost.region} on ${cost.date}
      (${cost.architecture}).
    </p>
    <div class="scroll" role="region" aria-label="Cost by service" tabindex="0">
      <table class="plain">
        <thead>
          <tr>
            <th scope="col">service</th>
            <th scope="col">what</th>
            <th scope="col" class="number">quantity</th>
            <th scope="col" class="number">US dollars</th>
          </tr>
        </thead>
        <tbody>
          ${cost.items.map(
            ({ service, item, quantity, usd }) => html`<tr>
              <th scope="row">${service}</th>
              <td>${item}</td>
              <td class="number">${formatNumber(quantity)}</td>
              <td class="number">${formatUsd(usd)}</td>
            </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </section>`;
}

/** How to read the verdicts. */
export function guideSection(): Markup {
  const term = (name: string, title: string, meaning: Part): Markup => html`<div>
    <dt><span class="verdict ${name}">${title}</span></dt>
    <dd>${meaning}</dd>
  </div>`;
  return html`<section id="guide" aria-labelledby="guide-title">
    <h2 id="guide-title">How to read the verdicts</h2>
    <p class="lead">
      A ball is an input together with every perturbation of it by at most epsilon per value, in pixel units, cut with the
      valid range. A margin is the score of the label less the score of another class.
    </p>
    <dl class="guide">
      ${term('robust', 'robust', 'Proven: every margin is positive on the whole ball. The proof includes a bound on its own rounding error.')}
      ${term('not-robust', 'not robust', 'Refuted: the ball contains a counterexample that the original model, run by ONNX Runtime, misclassifies. A tie counts.')}
      ${term('unknown', 'unknown', 'Neither was shown; the reason says why. It is not a hint either way.')}
      ${term('misclassified', 'misclassified', 'The model gets the unperturbed input wrong, so there is nothing to preserve.')}
    </dl>
  </section>`;
}

/** Parameters, versions and hashes: what it takes to run this again. */
export function runSection(report: Report): Markup {
  const { run, preprocessing } = report;
  const { request } = run;
  const settled = report.balls.filter(({ verdict }) => verdict === 'robust' || verdict === 'not-robust').length;
  const hash = (value: string): Markup => html`<code class="hash">${value}</code>`;
  const entries: [string, Part][] = [
    ['run', html`<code>${run.id}</code>`],
    ['started', run.startedAt],
    ['wall time', formatSeconds(report.wallSeconds)],
    ['CPU time', formatSeconds(report.cpuSeconds)],
    ['proven or refuted per CPU second', report.cpuSeconds > 0 ? formatNumber(settled / report.cpuSeconds) : undefined],
    ['rounds', formatCount(report.rounds)],
    ['model', html`<code>${request.model}</code>`],
    ['model hash', hash(run.modelHash)],
    ['data set', html`${run.datasetName} (<code>${request.dataset}</code>)`],
    ['data set hash', hash(run.datasetHash)],
    ['inputs', `${formatCount(run.inputs)}${request.first === undefined ? '' : ' (the first ones only)'}`],
    ['classes', formatCount(run.classes)],
    ['clean accuracy', formatShare(run.cleanAccuracy)],
    ['mode', request.mode === 'batch' ? 'mini-batches' : 'one ball at a time'],
    ['time per ball', formatSeconds(request.secondsPerBall)],
    ['workers', formatCount(request.workers)],
    ['seed', String(request.seed)],
    ['low accuracy accepted', request.acceptLowAccuracy ? 'yes' : 'no'],
    ['layout', preprocessing.layout],
    ['pixel', `${pixelFormula(preprocessing.scale)}, in [${preprocessing.clip.join(', ')}]`],
    ['network input', inputFormula(preprocessing)],
    ['versions', Object.entries(run.versions).map(([name, version], k) => `${k === 0 ? '' : ', '}${name} ${version}`)],
  ];
  return html`<section id="run" aria-labelledby="run-title">
    <h2 id="run-title">The run</h2>
    <dl class="facts">
      ${entries.map(([name, value]) => value !== undefined && html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}
    </dl>
  </section>`;
}

function pixelFormula(scale: number): string {
  if (scale === 1) return 'raw';
  const divisor = Math.round(1 / scale);
  return scale === 1 / divisor ? `raw / ${divisor}` : `raw × ${scale}`;
}

function inputFormula({ mean, std }: Report['preprocessing']): string {
  if (mean.every((value) => value === 0) && std.every((value) => value === 1)) return 'pixel';
  return `(pixel − ${vector(mean)}) / ${vector(std)}`;
}

function vector(values: readonly number[]): string {
  return values.length === 1 ? String(values[0]) : `[${values.join(', ')}]`;
}
