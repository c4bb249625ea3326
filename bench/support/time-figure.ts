import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { type EChartsOption, init } from 'echarts';
import type { CrownLine } from '../engine';
import { root } from './results';

const parts = [
  { key: 'forward', name: 'interval steps (ONNX Runtime)', colour: '#4c78a8' },
  { key: 'backward', name: 'backward passes (ONNX Runtime)', colour: '#72b7b2' },
  { key: 'outside', name: 'JavaScript', colour: '#e0a458' },
] as const;

/** Draws docs/engine-time.svg: microseconds a ball of each row, by where they went. */
export function timeFigure(lines: readonly CrownLine[]): void {
  const option: EChartsOption = {
    animation: false,
    backgroundColor: '#ffffff',
    legend: { top: 8, itemWidth: 14, textStyle: { fontSize: 12 } },
    grid: { left: 170, right: 60, top: 44, bottom: 44 },
    xAxis: { type: 'value', name: 'microseconds of CPU a ball', nameLocation: 'middle', nameGap: 28 },
    yAxis: {
      type: 'category',
      inverse: true,
      data: lines.map(({ network, epsilon }) => `${network}, ${epsilon}`),
      axisTick: { show: false },
    },
    series: parts.map(({ key, name, colour }) => ({
      type: 'bar',
      stack: 'time',
      name,
      itemStyle: { color: colour },
      data: lines.map(({ shares, ballsPerCpuSecond }) => Math.round((1e6 / ballsPerCpuSecond) * shares[key])),
    })),
  };
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: 760, height: 300 });
  chart.setOption(option);
  writeFileSync(path.join(root, 'docs', 'engine-time.svg'), chart.renderToSVGString());
  chart.dispose();
  console.log('renewed: docs/engine-time.svg');
}
