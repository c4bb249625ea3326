import type { CustomSeriesOption, EChartsOption, LineSeriesOption } from 'echarts';
import { formatNumber } from '../format';
import type { Learned } from '../record';
import { drawings, symbols } from './drawing';
import { html, type Markup } from './markup';

/** Radii that are drawn; more would hide each other. */
const mostRadii = 5;

/** The learned velocity of each size with the interval in which it lies with 90 %, one line a radius; the same figures as text for who cannot see it. */
export function velocityChart(learned: readonly Learned[]): Markup {
  const shown = learned.slice(0, mostRadii);
  const told = shown.map(({ epsilon, sizes }) => {
    const figures = sizes.map(
      ({ size, velocity, low, high }) =>
        `${size}: ${formatNumber(velocity)} (${formatNumber(low)} to ${formatNumber(high)})`,
    );
    return `at ${epsilon} ${figures.join(', ')}`;
  });
  const description = `Balls per CPU second by size of the mini-batch, with 90 % intervals: ${told.join('; ')}.`;
  const option = chartOption(shown);
  return html`<figure class="chart" id="velocity">
    ${drawings('velocity', option, description, { wide: 300, narrow: 260 })}
    <figcaption>
      <span>Balls per CPU second by size of the mini-batch, at ${shown.map(({ epsilon }) => epsilon).join(', ')}.</span>
      <span>Bars: 90 % of what is believed. Sizes that were never tried are left out.</span>
    </figcaption>
  </figure>`;
}

function chartOption(learned: readonly Learned[]): EChartsOption {
  const text = { color: 'var(--muted)', fontSize: 12, fontFamily: 'inherit' };
  const line = { lineStyle: { color: 'var(--line)', width: 1 } };
  const all = [...new Set(learned.flatMap(({ sizes }) => sizes.map(({ size }) => size)))].sort((a, b) => a - b);
  const first = Math.log2(all[0]);
  const last = Math.log2(all[all.length - 1]);
  const bounds = learned.flatMap(({ sizes }) => sizes.flatMap(({ low, high }) => [low, high]));
  return {
    animation: false,
    backgroundColor: 'transparent',
    grid: { left: 56, right: 72, top: 24, bottom: 48, outerBoundsMode: 'none' },
    xAxis: {
      type: 'value',
      silent: true,
      min: first - 0.4,
      max: last + 0.4,
      name: 'size',
      nameLocation: 'middle',
      nameGap: 28,
      nameTextStyle: text,
      axisLine: line,
      axisTick: { ...line, customValues: all.map(Math.log2) },
      axisLabel: {
        ...text,
        hideOverlap: true,
        customValues: all.map(Math.log2),
        formatter: (value: number) => `${Math.round(2 ** value)}`,
      },
      splitLine: { show: false },
    },
    yAxis: {
      type: 'log',
      silent: true,
      min: decade(Math.min(...bounds), Math.floor),
      max: decade(Math.max(...bounds), Math.ceil),
      axisLine: { show: false },
      axisTick: { show: false },
      axisLabel: { ...text, formatter: (value: number) => formatNumber(value) },
      splitLine: line,
    },
    series: learned.flatMap((one, k) => seriesOf(one, k, learned.length)),
  };
}

/** The power of ten below or above; a velocity is above 0. */
function decade(value: number, round: (exponent: number) => number): number {
  return 10 ** round(Math.log10(value));
}

function seriesOf(
  { epsilon, sizes }: Learned,
  k: number,
  radii: number,
): readonly [LineSeriesOption, CustomSeriesOption] {
  const opacity = 1 - (0.55 * k) / radii;
  // Beside each other, so that no bar hides another.
  const x = (size: number): number => Math.log2(size) + 0.08 * (k - (radii - 1) / 2);
  return [
    {
      type: 'line',
      name: epsilon,
      silent: true,
      z: 4,
      data: sizes.map(({ size, velocity }) => [x(size), velocity]),
      symbol: symbols[k % symbols.length],
      symbolSize: 7,
      showAllSymbol: true,
      itemStyle: { color: 'var(--robust)', opacity },
      lineStyle: { color: 'var(--robust)', width: 2, opacity },
      endLabel: { show: true, formatter: () => epsilon, color: 'var(--muted)', fontSize: 12 },
    },
    {
      type: 'custom',
      silent: true,
      data: sizes.map(({ size, low, high }) => [x(size), low, high]),
      encode: { x: 0, y: [1, 2] },
      renderItem: (_, api) => {
        const [left, bottom] = api.coord([api.value(0), api.value(1)]);
        const [, top] = api.coord([api.value(0), api.value(2)]);
        const style = { stroke: 'var(--robust)', lineWidth: 1.5, opacity };
        const stroke = (x1: number, y1: number, x2: number, y2: number) =>
          ({ type: 'line', silent: true, shape: { x1, y1, x2, y2 }, style }) as const;
        const cap = 4;
        const bars = [
          stroke(left, bottom, left, top),
          stroke(left - cap, bottom, left + cap, bottom),
          stroke(left - cap, top, left + cap, top),
        ];
        return { type: 'group', children: bars };
      },
    },
  ];
}
