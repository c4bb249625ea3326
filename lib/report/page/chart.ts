import type { EChartsOption } from 'echarts';
import { formatInterval, formatShare } from '../format';
import type { RadiusSummary, Report } from '../record';
import { drawings } from './drawing';
import { html, type Markup } from './markup';

/**
 * Certified accuracy against the radius: the lower end of the interval as a line, what is open above it as a band, and
 * the clean accuracy, which is also the certified accuracy at radius 0.
 */
export function accuracyChart(report: Report): Markup {
  const radii = [...report.radii].sort((a, b) => a.value - b.value);
  const summary = radii.map((radius) => `${formatInterval(radius.certifiedAccuracy)} at ${radius.epsilon}`).join(', ');
  const description =
    `Certified accuracy against epsilon: ${summary}; clean accuracy ${formatShare(report.run.cleanAccuracy)}. ` +
    'The table below has the same figures.';
  const option = chartOption(radii, report.run.cleanAccuracy);
  return html`<figure class="chart">
    ${drawings('accuracy', option, description, { wide: 320, narrow: 260 })}
    <figcaption>
      <span class="key certified">certified</span>
      <span class="key open">not settled</span>
      <span class="key clean">clean accuracy</span>
      <span>Measured at the marked radii; the lines between them only guide the eye.</span>
    </figcaption>
  </figure>`;
}

function chartOption(radii: readonly RadiusSummary[], clean: number): EChartsOption {
  const texts = new Map([[0, '0'], ...radii.map(({ value, epsilon }): [number, string] => [value, epsilon])]);
  const lower: Point[] = [[0, clean], ...radii.map(({ value, certifiedAccuracy: [low] }): Point => [value, low])];
  const open: Point[] = [
    [0, 0],
    ...radii.map(({ value, certifiedAccuracy: [low, high] }): Point => [value, high - low]),
  ];
  const text = { color: 'var(--muted)', fontSize: 12, fontFamily: 'inherit' };
  const line = { lineStyle: { color: 'var(--line)', width: 1 } };
  return {
    animation: false,
    backgroundColor: 'transparent',
    grid: { left: 48, right: 24, top: 24, bottom: 48, outerBoundsMode: 'none' },
    xAxis: {
      type: 'value',
      silent: true,
      min: 0,
      max: radii[radii.length - 1].value,
      name: 'epsilon',
      nameLocation: 'middle',
      nameGap: 28,
      nameTextStyle: text,
      axisLine: line,
      axisTick: { ...line, customValues: [...texts.keys()] },
      axisLabel: {
        ...text,
        hideOverlap: true,
        width: 90,
        overflow: 'truncate',
        customValues: [...texts.keys()],
        formatter: (value) => texts.get(value) ?? '',
      },
      splitLine: { show: false },
    },
    yAxis: {
      type: 'value',
      silent: true,
      min: 0,
      max: 1,
      interval: 0.25,
      axisLine: { show: false },
      axisTick: { show: false },
      axisLabel: { ...text, formatter: (value) => `${value * 100} %` },
      splitLine: line,
    },
    series: [
      {
        type: 'line',
        stack: 'interval',
        // Above the line of what is open, which lies on this one where nothing is.
        z: 4,
        silent: true,
        data: lower,
        symbol: 'circle',
        symbolSize: 7,
        itemStyle: { color: 'var(--robust)' },
        lineStyle: { color: 'var(--robust)', width: 2 },
        areaStyle: { color: 'var(--robust)', opacity: 0.14 },
        markLine: {
          silent: true,
          symbol: 'none',
          data: [{ yAxis: clean }],
          lineStyle: { color: 'var(--muted)', width: 1, type: [4, 4] },
          label: { show: false },
        },
      },
      {
        type: 'line',
        stack: 'interval',
        silent: true,
        data: open,
        symbol: 'none',
        lineStyle: { color: 'var(--unknown)', width: 1.5 },
        areaStyle: { color: 'var(--unknown)', opacity: 0.28 },
      },
    ],
  };
}

type Point = [radius: number, share: number];
