import { PNG } from 'pngjs';
import type { Digits } from './digits';
import { imageSize } from './pen';

const columns = 20;
const zoom = 4;
const cell = imageSize * zoom + 1;

/** All images side by side as one PNG file, to look at. */
export function contactSheet({ count, images }: Digits): Buffer {
  const png = new PNG({ width: columns * cell, height: Math.ceil(count / columns) * cell });
  // The background shows as thin lines between the images.
  for (let at = 0; at < png.data.length; at += 4) png.data.set([90, 90, 90, 255], at);
  for (let i = 0; i < count; i++) {
    const [left, top] = [(i % columns) * cell, Math.floor(i / columns) * cell];
    for (let y = 0; y < imageSize * zoom; y++) {
      for (let x = 0; x < imageSize * zoom; x++) {
        const grey = images[(i * imageSize + Math.floor(y / zoom)) * imageSize + Math.floor(x / zoom)];
        png.data.fill(grey, 4 * ((top + y) * png.width + left + x), 4 * ((top + y) * png.width + left + x) + 3);
      }
    }
  }
  return PNG.sync.write(png);
}
