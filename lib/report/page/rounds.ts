import { formatCount, formatNumber, formatSeconds, formatShare } from '../format';
import type { Learned, Report } from '../record';
import { type RoundSummary, roundSummaries } from '../rounds';
import { html, type Markup, type Part } from './markup';
import { velocityChart } from './velocity-chart';

/** What each round did, and what it learned about the sizes of mini-batches. Nothing where no mini-batch was verified. */
export function roundsSection(report: Report): Markup {
  const rounds = roundSummaries(report);
  if (rounds.length === 0) return html``;
  return html`<section id="rounds" aria-labelledby="rounds-title">
    <h2 id="rounds-title">Rounds</h2>
    <p class="lead">
      Which sizes were chosen and what came of them. The last columns count settled balls: those in mini-batches of two and more by
      what settled them, then those that were <em>alone</em> in theirs.
    </p>
    ${roundsTable(rounds)} ${learnedPart(report.learned ?? [])}
  </section>`;
}

function roundsTable(rounds: readonly RoundSummary[]): Markup {
  const settlers = settlersOf(rounds);
  const head = ['mini-batches', 'sizes', 'balls', 'settled', 'CPU', 'settled per CPU second', ...settlers, 'alone'];
  return html`<div class="scroll" role="region" aria-label="Rounds" tabindex="0">
    <table class="plain" id="rounds-table">
      <thead>
        <tr>
          <th scope="col">round</th>
          ${head.map((title) => html`<th scope="col" class="number">${title}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rounds.map((round) => {
          const { miniBatches, tried, settled, cpuSeconds, jointly, alone } = round;
          const cells = [
            formatCount(miniBatches),
            sizesText(round.sizes),
            formatCount(tried),
            formatShare(settled / tried),
            formatSeconds(cpuSeconds),
            cpuSeconds > 0 ? formatNumber(settled / cpuSeconds) : '',
            ...settlers.map((name) => formatCount(jointly.get(name) ?? 0)),
            formatCount(alone),
          ];
          return html`<tr>
            <th scope="row">${round.round}</th>
            ${cells.map((cell) => html`<td class="number">${cell}</td>`)}
          </tr>`;
        })}
      </tbody>
    </table>
  </div>`;
}

/** Everything that settled balls jointly, what settled most first. */
function settlersOf(rounds: readonly RoundSummary[]): string[] {
  const counts = new Map<string, number>();
  for (const { jointly } of rounds) {
    for (const [name, count] of jointly) counts.set(name, (counts.get(name) ?? 0) + count);
  }
  return [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).map(([name]) => name);
}

/** `16`, or `1 to 64, median 16`. */
function sizesText({ smallest, median, largest }: RoundSummary['sizes']): string {
  if (smallest === largest) return formatCount(smallest);
  return `${formatCount(smallest)} to ${formatCount(largest)}, median ${formatCount(median)}`;
}

function learnedPart(learned: readonly Learned[]): Part {
  if (learned.length === 0) return undefined;
  const suits = learned.flatMap(({ epsilon, labels }) => {
    if (labels.length > 20 || new Set(labels.map(({ size }) => size)).size < 2) return [];
    return [`at ${epsilon} ${labels.map(({ label, size }) => `${size} for label ${label}`).join(', ')}`];
  });
  return html`<h2>What was learned about sizes</h2>
    <p class="lead">
      Balls settled per CPU second by mini-batches of each size, first attempts with what the balls that they left open cost
      afterwards, and with the price of a call to AWS as seconds (docs/schedule.md).${suits.length > 0 && ` Believed to be best by label: ${suits.join('; ')}.`}
    </p>
    ${velocityChart(learned)}`;
}
