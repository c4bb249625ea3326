import { PNG } from 'pngjs';
import type { Digits } from './digits';
import { imageSize } from './pen';

const columns = 20;
const zoom = 4;
const cell = imageSize * zoom + 1;

/** All images side by side as one PNG file, to look at. */
export function contactSheet({ count, images }: Digits): Buffer {
  const png = new PNG({ width: columns * cell, height: Math.ceil(count / columns) * cell });
  // What shows of the background are thin lines between the images.
  png.data.fill(90);
  for (let i = 0; i < count; i++) {
    const [left, top] = [(i % columns) * cell, Math.floor(i / columns) * cell];
    for (let pixel = 0; pixel < imageSize * imageSize; pixel++) {
      const grey = images[i * imageSize * imageSize + pixel];
      const x = left + (pixel % imageSize) * zoom;
      const y = top + Math.floor(pixel / imageSize) * zoom;
      for (let row = y; row < y + zoom; row++) {
        const at = 4 * (row * png.width + x);
        png.data.fill(grey, at, at + 4 * zoom);
      }
    }
  }
  for (let alpha = 3; alpha < png.data.length; alpha += 4) png.data[alpha] = 255;
  // No filter: finding the best one takes far longer than the drawing.
  return PNG.sync.write(png, { filterType: 0 });
}
