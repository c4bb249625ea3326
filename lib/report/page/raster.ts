import { PNG } from 'pngjs';
import { imageAxes } from '../../dataset/channels';

/** Where the values of a network input are in a picture: value (channel, row, column) is at the sum of its strides. */
export interface Raster {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  readonly strides: { readonly channel: number; readonly row: number; readonly column: number };
}

/**
 * How to show a network input of `shape` (without batch dimension): images of 1 or 3 channels in either order and [H, W]
 * as they are; images of other channel counts as grey planes below each other. Flat inputs ([784], [784, 1]) are shown
 * as a square, else as the rectangle nearest to one, which for a prime size is a strip.
 */
export function rasterOf(shape: readonly number[]): Raster {
  const axes = imageAxes(shape);
  if (axes !== undefined && Math.min(axes.height, axes.width) > 1) {
    const { order, channels, height, width } = axes;
    if (channels === 1 || channels === 3) return (order === 'CHW' ? planes : pixels)(width, height, channels);
    return planes(width, height * channels, 1);
  }
  const sides = shape.filter((side) => side !== 1);
  if (sides.length === 2) return planes(sides[1], sides[0], 1);
  const size = sides.reduce((product, side) => product * side, 1);
  let height = Math.floor(Math.sqrt(size));
  while (size % height !== 0) height--;
  return planes(size / height, height, 1);
}

function planes(width: number, height: number, channels: 1 | 3): Raster {
  return { width, height, channels, strides: { channel: width * height, row: width, column: 1 } };
}

function pixels(width: number, height: number, channels: 1 | 3): Raster {
  return { width, height, channels, strides: { channel: 1, row: width * channels, column: channels } };
}

/** The picture of pixel values (in pixel units), with `clip` from black to full colour, as a PNG data URI. */
export function pictureUri(raster: Raster, values: Float64Array, [black, white]: readonly [number, number]): string {
  return pngUri(raster, (at) => {
    const level = (channel: number): number => (255 * (values[at(channel)] - black)) / (white - black);
    return raster.channels === 3 ? [level(0), level(1), level(2)] : [level(0), level(0), level(0)];
  });
}

/**
 * The signed difference as a PNG data URI, in blue where it is negative and red where it is positive, in full colour
 * at -scale and scale. Of three channels the largest difference is shown.
 */
export function differenceUri(raster: Raster, difference: Float64Array, scale: number): string {
  return pngUri(raster, (at) => {
    let largest = difference[at(0)];
    for (let channel = 1; channel < raster.channels; channel++) {
      const value = difference[at(channel)];
      if (Math.abs(value) > Math.abs(largest)) largest = value;
    }
    return divergingColour(scale > 0 ? largest / scale : 0);
  });
}

type Colour = readonly [number, number, number];

/** The ends and the middle of the diverging scale (ColorBrewer RdBu). */
export const divergingEnds: { readonly negative: Colour; readonly zero: Colour; readonly positive: Colour } = {
  negative: [33, 102, 172],
  zero: [247, 247, 247],
  positive: [178, 24, 43],
};

function divergingColour(value: number): Colour {
  const { negative, zero, positive } = divergingEnds;
  const end = value < 0 ? negative : positive;
  const weight = Math.min(1, Math.abs(value));
  const mix = (channel: 0 | 1 | 2): number => zero[channel] + weight * (end[channel] - zero[channel]);
  return [mix(0), mix(1), mix(2)];
}

function pngUri(raster: Raster, colour: (at: (channel: number) => number) => Colour): string {
  const { width, height, strides } = raster;
  const png = new PNG({ width, height });
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const base = row * strides.row + column * strides.column;
      const [red, green, blue] = colour((channel) => base + channel * strides.channel);
      // A Buffer would wrap around what lies outside 0..255 (rounding), and take NaN as 0.
      const level = (value: number): number => Math.max(0, Math.min(255, Math.round(value)));
      png.data.set([level(red), level(green), level(blue), 255], 4 * (row * width + column));
    }
  }
  return `data:image/png;base64,${PNG.sync.write(png, { colorType: 2 }).toString('base64')}`;
}
