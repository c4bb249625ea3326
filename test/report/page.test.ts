import { PNG } from 'pngjs';
import { dataTable } from '../../lib/report/page/data-table';
import { escapeHtml, html, jsonMarkup, trusted } from '../../lib/report/page/markup';
import { differenceUri, pictureUri, rasterOf } from '../../lib/report/page/raster';
import { pixelsOfInput } from '../../lib/report/pixels';

function decode(uri: string): { width: number; height: number; colours: number[][] } {
  const { width, height, data } = PNG.sync.read(Buffer.from(uri.replace('data:image/png;base64,', ''), 'base64'));
  const colours = Array.from({ length: width * height }, (_, i) => [...data.subarray(4 * i, 4 * i + 3)]);
  return { width, height, colours };
}

describe('markup', () => {
  test('escapes text and attributes, joins arrays, drops undefined and false', () => {
    const name = `<b>"'&`;
    expect(html`<p title="${name}">${[name, 1, undefined, false, html`<i>${'<'}</i>`]}</p>`.markup).toBe(
      '<p title="&lt;b&gt;&quot;&#39;&amp;">&lt;b&gt;&quot;&#39;&amp;1<i>&lt;</i></p>',
    );
    expect(html`${trusted('<hr>')}`.markup).toBe('<hr>');
    expect(escapeHtml('a\u0000\u001b\n\u0085b')).toBe('a\ufffd\ufffd\n\ufffdb');
  });

  test('JSON cannot end its element, and is still the same JSON', () => {
    const value = { a: '</script><!--<script>', b: '\u2028' };
    expect(jsonMarkup(value).markup).not.toContain('<');
    expect(JSON.parse(jsonMarkup(value).markup)).toEqual(value);
  });
});

describe('rasterOf', () => {
  test.each([
    [[1, 28, 28], 28, 28, 1],
    [[28, 28, 1], 28, 28, 1],
    [[28, 28], 28, 28, 1],
    [[784], 28, 28, 1],
    [[784, 1], 28, 28, 1],
    [[1, 784, 1], 28, 28, 1],
    [[3, 32, 30], 30, 32, 3],
    [[32, 30, 3], 30, 32, 3],
    [[2, 8, 9], 9, 16, 1],
    [[5], 5, 1, 1],
    [[3072], 64, 48, 1],
    [[1, 1], 1, 1, 1],
  ])('%j is shown as %d x %d pixels of %d channels', (shape, width, height, channels) => {
    expect(rasterOf(shape)).toMatchObject({ width, height, channels });
  });

  test('both orders of channels give the same picture', () => {
    // red, green / blue, white
    const planar = Float64Array.of(1, 0, 0, 1, 0, 1, 0, 1, 0, 0, 1, 1);
    const interleaved = Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 1);
    const picture = decode(pictureUri(rasterOf([3, 2, 2]), planar, [0, 1]));
    expect(picture.colours).toEqual([
      [255, 0, 0],
      [0, 255, 0],
      [0, 0, 255],
      [255, 255, 255],
    ]);
    expect(decode(pictureUri(rasterOf([2, 2, 3]), interleaved, [0, 1]))).toEqual(picture);
  });
});

describe('pictures', () => {
  test('run from the low end of the valid range to its high end, and stay in it', () => {
    const uri = pictureUri(rasterOf([5]), Float64Array.of(-1, 0, 1, 1.5, -3), [-1, 1]);
    expect(decode(uri)).toEqual({ width: 5, height: 1, colours: [0, 128, 255, 255, 0].map((v) => [v, v, v]) });
  });

  test('differences are blue below zero, red above, and full at the scale', () => {
    const { colours } = decode(differenceUri(rasterOf([5]), Float64Array.of(-0.1, 0, 0.1, 0.05, 9), 0.1));
    expect(colours).toEqual([
      [33, 102, 172],
      [247, 247, 247],
      [178, 24, 43],
      [213, 136, 145],
      [178, 24, 43],
    ]);
    expect(decode(differenceUri(rasterOf([1]), Float64Array.of(0), 0)).colours).toEqual([[247, 247, 247]]);
  });

  test('of three channels the largest difference is shown', () => {
    const difference = Float64Array.of(0.5, 0, 0, 0, -1, 0.2, 0, 0, 0, 1, 0, 0);
    const { colours } = decode(differenceUri(rasterOf([3, 2, 2]), difference, 1));
    expect(colours.slice(0, 3)).toEqual([
      [33, 102, 172],
      [178, 24, 43],
      [247, 247, 247],
    ]);
  });
});

test('pixelsOfInput undoes the normalisation of each channel', () => {
  const preprocessing = { mean: [0.5, 0.25, 0], std: [0.5, 0.25, 2] };
  const input = [1, -1, 1, -1, 1, 0];
  expect([
    ...pixelsOfInput(
      input.flatMap((v) => [v, v]),
      preprocessing,
      [3, 2, 2],
    ),
  ]).toEqual([1, 1, 0, 0, 0.5, 0.5, 0, 0, 2, 2, 0, 0]);
  expect([...pixelsOfInput(Float32Array.of(1, 1, 1, -1, -1, -1), preprocessing, [2, 1, 3])]).toEqual([
    1, 0.5, 2, 0, 0, -2,
  ]);
  expect([...pixelsOfInput([1, -1], { mean: [0.5], std: [0.25] }, [2])]).toEqual([0.75, 0.25]);
});

test('a data table carries its rows by column, texts by their rank', () => {
  const { markup } = dataTable<{ size?: number; kind?: string }>({
    id: 'things',
    noun: 'things',
    rows: [{ size: 3, kind: 'b10' }, { kind: 'b9' }, { size: 1, kind: 'z' }, { size: 2 }],
    columns: [
      { kind: 'number', key: 'size', title: 'size', value: (row) => row.size },
      { kind: 'text', key: 'kind', title: 'kind', order: ['z', 'absent'], choice: 'Kind', value: (row) => row.kind },
    ],
    example: 'z',
  });
  const json = /<script type="application\/json">(.*?)<\/script>/s.exec(markup)?.[1] ?? '';
  expect(JSON.parse(json)).toEqual({
    noun: 'things',
    count: 4,
    columns: [
      { key: 'size', kind: 'number', values: [3, null, 1, 2] },
      { key: 'kind', kind: 'text', words: ['z', 'b9', 'b10'], values: [2, 1, 0, null] },
    ],
  });
  expect(markup.match(/<option value="\d">/g)).toHaveLength(3);
});
