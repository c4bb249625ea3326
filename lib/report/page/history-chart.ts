import type { EChartsOption, LineSeriesOption } from 'echarts';
import type { HistoryEntry } from '../../audit/history';
import { formatShare } from '../format';
import { drawings, symbols } from './drawing';
import { html, type Markup } from './markup';

/** Runs that the chart shows: the last ones. */
const mostRuns = 60;

/**
 * The proven certified accuracy of each radius over the runs of a policy, the oldest first; a dashed line where the model changed.
 * Nothing for a single run.
 */
export function historyChart(entries: readonly HistoryEntry[]): Markup {
  const runs = entries.slice(-mostRuns);
  if (runs.length < 2) return html``;
  const radii = new Map(runs.flatMap((run) => run.radii.map(({ value, epsilon }) => [value, epsilon] as const)));
  const ordered = [...radii].sort(([a], [b]) => a - b);
  const proven = (run: HistoryEntry, value: number): number | undefined =>
    run.radii.find((radius) => radius.value === value)?.certifiedAccuracy[0];
  const told = ordered.map(([value, epsilon]) => {
    const known = runs.map((run) => proven(run, value)).filter((share) => share !== undefined);
    return `from ${formatShare(known[0])} to ${formatShare(known[known.length - 1])} at ${epsilon}`;
  });
  const description = `Certified accuracy over ${runs.length} runs: ${told.join(', ')}.`;
  const option = chartOption(runs, ordered, proven);
  return html`<h2>Over time</h2>
    <figure class="chart" id="history">
      ${drawings('history', option, description, { wide: 300, narrow: 260 })}
      <figcaption>
        <span>Proven certified accuracy at ${ordered.map(([, epsilon]) => epsilon).join(', ')}, run by run.</span>
        <span>Dashed: the model changed.</span>
      </figcaption>
    </figure>`;
}

function chartOption(
  runs: readonly HistoryEntry[],
  radii: readonly (readonly [value: number, epsilon: string])[],
  proven: (run: HistoryEntry, value: number) => number | undefined,
): EChartsOption {
  const text = { color: 'var(--muted)', fontSize: 12, fontFamily: 'inherit' };
  const line = { lineStyle: { color: 'var(--line)', width: 1 } };
  const changes = runs.flatMap((run, i) => (i > 0 && run.modelHash !== runs[i - 1].modelHash ? [{ xAxis: i }] : []));
  const series = radii.map(
    ([value, epsilon], k): LineSeriesOption => ({
      type: 'line',
      name: epsilon,
      silent: true,
      data: runs.map((run) => proven(run, value) ?? '-'),
      symbol: symbols[k % symbols.length],
      symbolSize: 7,
      showAllSymbol: true,
      itemStyle: { color: 'var(--robust)', opacity: 1 - (0.55 * k) / radii.length },
      lineStyle: { color: 'var(--robust)', width: 2, opacity: 1 - (0.55 * k) / radii.length },
      endLabel: { show: true, formatter: () => epsilon, color: 'var(--muted)', fontSize: 12 },
      ...(k === 0 && {
        markLine: {
          silent: true,
          symbol: 'none',
          data: changes,
          lineStyle: { color: 'var(--muted)', width: 1, type: [4, 4] },
          label: { show: false },
        },
      }),
    }),
  );
  return {
    animation: false,
    backgroundColor: 'transparent',
    grid: { left: 48, right: 64, top: 24, bottom: 40, outerBoundsMode: 'none' },
    xAxis: {
      type: 'category',
      silent: true,
      boundaryGap: false,
      data: runs.map(({ startedAt }) => startedAt.slice(0, 16).replace('T', ' ')),
      axisLine: line,
      axisTick: line,
      axisLabel: { ...text, hideOverlap: true, alignMinLabel: 'left', alignMaxLabel: 'right' },
    },
    yAxis: {
      type: 'value',
      silent: true,
      min: 0,
      max: 1,
      interval: 0.25,
      axisLine: { show: false },
      axisTick: { show: false },
      axisLabel: { ...text, formatter: (value: number) => `${value * 100} %` },
      splitLine: line,
    },
    series,
  };
}
