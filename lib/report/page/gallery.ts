import { formatCount, formatNoun, formatNumber } from '../format';
import type { BallVerdict, Report } from '../record';
import { html, type Markup } from './markup';
import { differenceUri, divergingEnds, pictureUri, rasterOf } from './raster';

/** A counterexample with the pictures it takes to show it. */
export interface GalleryItem {
  /** Index of the input in the data set. */
  readonly index: number;
  readonly label: number;
  readonly predicted: number;
  /** The radius as the user wrote it. */
  readonly epsilon: string;
  /** The unperturbed input in pixel units (lib/report/pixels.ts), in the order of the model's input. */
  readonly original: Float64Array;
  /** The witness, likewise. */
  readonly counterexample: Float64Array;
  /** Shape of the model's input without batch dimension. */
  readonly shape: readonly number[];
}

/** How many counterexamples report.html shows. */
export const galleryLimit = 24;

/**
 * At most `limit` refuted balls, spread over labels and radii: rounds over all labels, each label at another radius than
 * its neighbour and at another one in the next round; within a label and radius in the order of `balls`. The result is
 * in the order of labels, then radii, then `balls`.
 */
export function chooseGallery(balls: readonly BallVerdict[], limit: number = galleryLimit): BallVerdict[] {
  const groups = new Map<string, BallVerdict[]>();
  const labels = new Set<number>();
  const epsilons = new Set<string>();
  for (const ball of balls) {
    if (ball.verdict !== 'not-robust') continue;
    labels.add(ball.label);
    epsilons.add(ball.epsilon);
    const key = groupKey(ball.label, ball.epsilon);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [ball]);
    else if (group.length < limit) group.push(ball);
  }
  const sortedLabels = [...labels].sort((a, b) => a - b);
  const radii = [...epsilons];
  const order = radii.flatMap((_, turn) =>
    sortedLabels.map((label, k) => groups.get(groupKey(label, radii[(k + turn) % radii.length])) ?? []),
  );
  const chosen = new Set<BallVerdict>();
  for (let depth = 0; chosen.size < limit && order.some((group) => group.length > depth); depth++) {
    for (const group of order) {
      if (group.length > depth && chosen.size < limit) chosen.add(group[depth]);
    }
  }
  return sortedLabels
    .flatMap((label) => radii.flatMap((epsilon) => groups.get(groupKey(label, epsilon)) ?? []))
    .filter((ball) => chosen.has(ball));
}

function groupKey(label: number, epsilon: string): string {
  return `${label}\n${epsilon}`;
}

/** The gallery of report.html; `total` is the number of refuted balls in the report. */
export function gallerySection(report: Report, items: readonly GalleryItem[], total: number): Markup {
  if (total === 0) return html``;
  const shown =
    items.length < total
      ? html`${formatCount(items.length)} of ${formatCount(total)}, spread over labels and radii; report.csv names the
          witness of every one.`
      : html`${items.length === 1 ? 'The only one' : `All ${formatCount(items.length)}`} of this run.`;
  return html`<section id="counterexamples" aria-labelledby="counterexamples-title">
    <h2 id="counterexamples-title">Counterexamples</h2>
    <p class="lead">
      Inputs inside a ball that the original model classifies differently, found and replayed with ONNX Runtime. ${shown}
    </p>
    ${scaleLegend()}
    <ul class="gallery">
      ${items.map((item) => card(report, item))}
    </ul>
  </section>`;
}

function scaleLegend(): Markup {
  const { negative, zero, positive } = divergingEnds;
  const colours = [negative, zero, positive].map((colour) => `rgb(${colour.join(' ')})`).join(', ');
  return html`<p class="scale">
    <span>Colours of the difference, in pixel units: −ε</span>
    <span class="scale-bar" style="background: linear-gradient(to right, ${colours})"></span>
    <span>+ε</span>
  </p>`;
}

function card({ preprocessing, radii }: Report, item: GalleryItem): Markup {
  const raster = rasterOf(item.shape);
  const difference = item.counterexample.map((value, i) => value - item.original[i]);
  const changed = difference.reduce((count, value) => count + (value === 0 ? 0 : 1), 0);
  const largest = difference.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const scale = radii.find(({ epsilon }) => epsilon === item.epsilon)?.value ?? largest;
  const original = pictureUri(raster, item.original, preprocessing.clip);
  const counterexample = pictureUri(raster, item.counterexample, preprocessing.clip);
  const tie = item.predicted === item.label;
  const change = tie ? `a tie with label ${item.label}` : `predicted as ${item.predicted}`;
  const name = `input ${item.index}`;
  const picture = (uri: string, alt: string, caption: string): Markup => html`<figure>
    <img src="${uri}" width="${raster.width}" height="${raster.height}" alt="${alt}" />
    <figcaption>${caption}</figcaption>
  </figure>`;
  return html`<li class="card">
    <h3>
      <span class="class">${item.label}</span>
      <span class="arrow" aria-hidden="true">→</span><span class="visually-hidden">becomes</span>
      <span class="class changed">${tie ? 'tie' : item.predicted}</span>
      <span class="where">${name} · ε ${item.epsilon}</span>
    </h3>
    <div class="pictures">
      ${picture(original, `${name}, label ${item.label}`, 'original')}
      ${picture(counterexample, `counterexample of ${name}, ${change}`, 'counterexample')}
      ${picture(differenceUri(raster, difference, scale), `signed difference of the two`, 'difference')}
    </div>
    <p class="fine">
      ${formatCount(changed)} of ${formatNoun(difference.length, 'value')} changed, by at most ${formatNumber(largest)}
    </p>
  </li>`;
}
