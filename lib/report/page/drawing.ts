import { type EChartsOption, init } from 'echarts';
import { html, type Markup, trusted } from './markup';

interface Size {
  readonly width: number;
  readonly height: number;
}

/** Series of a chart, told apart by shape as well as by the opacity of one colour: the first is the strongest. */
export const symbols = ['circle', 'rect', 'triangle', 'diamond', 'pin'] as const;

/**
 * A chart drawn twice, for wide and for narrow screens (style.ts shows one); colours are the custom properties of style.ts.
 *
 * @param name of the chart: of its ids in the page
 * @param description for who cannot see it
 */
export function drawings(
  name: string,
  option: EChartsOption,
  description: string,
  height: { readonly wide: number; readonly narrow: number },
): Markup {
  const drawing = (kind: 'wide' | 'narrow', size: Size): Markup => html`<div
    class="drawing ${kind}" role="img" aria-label="${description}">
    ${trusted(svg(option, size, `${name}-${kind}`))}
  </div>`;
  return html`${drawing('wide', { width: 880, height: height.wide })} ${drawing('narrow', { width: 340, height: height.narrow })}`;
}

/**
 * ECharts on the server; it escapes the texts it draws (zrender, svg/core.js). Its styles (for a pointer that hovers) are not
 * wanted, and its ids count all charts of the process: they are renamed after the drawing, so that the same report
 * gives the same page.
 */
function svg(option: EChartsOption, { width, height }: Size, name: string): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height });
  try {
    chart.setOption(option);
    return chart
      .renderToSVGString()
      .replace(/<style ><!\[CDATA\[.*?]]>\s*<\/style>/s, '')
      .replace(/ class="zr[^"]*"/g, '')
      .replace(/(id="|url\(#)zr\d+-/g, `$1${name}-`);
  } finally {
    chart.dispose();
  }
}
