import type { ChangedBall, RadiusDifference, RunDifference } from '../../audit/difference';
import type { HistoryEntry, ThresholdState } from '../../audit/history';
import { type VerdictName, verdictNames } from '../../verdict';
import { formatCount, formatInterval, formatNoun, formatShare } from '../format';
import { dataTable } from './data-table';
import { historyChart } from './history-chart';
import { html, type Markup, type Part } from './markup';

/** What a run of a policy has to say beside its verdicts. */
export interface AuditView {
  readonly policy: string;
  /** The runs of the policy on the model, the oldest first, this one last. */
  readonly history: readonly HistoryEntry[];
  /** To the last run that was done. */
  readonly difference: RunDifference | undefined;
  readonly thresholds: readonly ThresholdState[];
  readonly reused: number;
  readonly rechecked: number;
  /** Stored verdicts that could not be used. */
  readonly ignored: readonly string[];
}

/** The section of report.html about the policy of the run: thresholds, the past, the difference to the last run. */
export function auditSection(view: AuditView | undefined): Markup {
  if (view === undefined) return html``;
  const { policy, history, difference, thresholds, reused, rechecked, ignored } = view;
  const done = history.filter(({ status }) => status === 'done');
  return html`<section id="audit" aria-labelledby="audit-title">
    <h2 id="audit-title">Policy ${policy}</h2>
    <p class="lead">
      ${formatNoun(reused, 'verdict')} of earlier runs ${reused === 1 ? 'was' : 'were'} reused, and
      ${formatCount(rechecked)} verified again without a contradiction.
    </p>
    ${ignored.length > 0 && html`<p class="fine">Not reused: ${ignored.join('; ')}</p>`}
    ${thresholdTable(thresholds)} ${historyChart(done)} ${difference && differencePart(difference)}
  </section>`;
}

function thresholdTable(thresholds: readonly ThresholdState[]): Part {
  if (thresholds.length === 0) return undefined;
  const shown = ({ name }: ThresholdState, value: number): string =>
    name.includes('accuracy') ? formatShare(value) : formatCount(value);
  return html`<div class="scroll" role="region" aria-label="Thresholds" tabindex="0">
    <table class="plain" id="thresholds">
      <thead>
        <tr>
          <th scope="col">threshold</th>
          <th scope="col" class="number">limit</th>
          <th scope="col" class="number">this run</th>
          <th scope="col">state</th>
        </tr>
      </thead>
      <tbody>
        ${thresholds.map(
          (state) => html`<tr>
            <th scope="row">${state.name}</th>
            <td class="number">${shown(state, state.limit)}</td>
            <td class="number">${shown(state, state.value)}</td>
            <td><span class="verdict ${state.holds ? 'robust' : 'not-robust'}">${state.holds ? 'holds' : 'missed'}</span></td>
          </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

function differencePart(difference: RunDifference): Markup {
  const { before, after, sameModel, radii, balls } = difference;
  const models = sameModel
    ? 'Both are about the same version of the model, so what changed is what is known.'
    : html`The model changed, from <code>${before.modelHash.slice(0, 12)}</code> to
        <code>${after.modelHash.slice(0, 12)}</code>.`;
  return html`<h2>Since the last run</h2>
    <p class="lead">Compared with <code>${before.run}</code> of ${before.startedAt}, on the same balls. ${models}</p>
    ${differenceTable(radii)} ${balls.length > 0 && changedTable(balls)}`;
}

function differenceTable(radii: readonly RadiusDifference[]): Markup {
  const interval = (value: RadiusDifference['certifiedBefore']): string => (value ? formatInterval(value) : '–');
  return html`<div class="scroll" role="region" aria-label="Changes by radius" tabindex="0">
    <table class="plain" id="difference">
      <thead>
        <tr>
          <th scope="col">epsilon</th>
          ${['balls in both', 'newly proven', 'newly broken', 'lost', 'certified before', 'certified now'].map(
            (title) => html`<th scope="col" class="number">${title}</th>`,
          )}
        </tr>
      </thead>
      <tbody>
        ${radii.map(
          (radius) => html`<tr>
            <th scope="row">${radius.epsilon}</th>
            ${[radius.compared, radius.newlyProven, radius.newlyBroken, radius.lost].map(
              (count) => html`<td class="number">${formatCount(count)}</td>`,
            )}
            <td class="number">${interval(radius.certifiedBefore)}</td>
            <td class="number strong">${interval(radius.certifiedAfter)}</td>
          </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

/** Rows of the table of changed balls; difference.json has all. */
const mostRows = 50_000;

function changedTable(balls: readonly ChangedBall[]): Markup {
  const verdict = (key: 'before' | 'after', title: string) => ({
    key,
    title,
    kind: 'text' as const,
    order: verdictNames,
    choice: title,
    verdict: true,
    value: (ball: ChangedBall): VerdictName => ball[key],
  });
  return html`<h2>Balls that changed</h2>
    <p class="lead">
      Newly broken: the model misclassifies a point of the ball, which was not known or not so before. Lost: a proof or a
      counterexample that this run does not have. ${balls.length > mostRows && 'The first ones; difference.json has all.'}
    </p>
    ${dataTable<ChangedBall>({
      id: 'changes',
      noun: 'changed balls',
      example: 'input or epsilon',
      rows: balls.slice(0, mostRows),
      columns: [
        { key: 'input', title: 'input', kind: 'number', whole: true, value: ({ indexAfter }) => indexAfter },
        { key: 'label', title: 'label', kind: 'number', whole: true, value: ({ label }) => label },
        { key: 'epsilon', title: 'epsilon', kind: 'text', choice: 'Epsilon', value: ({ epsilon }) => epsilon },
        verdict('before', 'before'),
        verdict('after', 'now'),
        { key: 'change', title: 'change', kind: 'text', choice: 'Change', value: ({ change }) => change },
      ],
    })}`;
}
