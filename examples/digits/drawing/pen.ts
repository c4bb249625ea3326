import type { Random } from '../random';
import type { Point, Stroke } from './strokes';

/** Size of an image in pixels: [imageSize, imageSize]. */
export const imageSize = 14;

/** Points that a curve gets between two of its corners. */
const curveSteps = 6;

/** A straight piece of pen path: x1, y1, x2, y2 in pixels. */
export type Segment = readonly [x1: number, y1: number, x2: number, y2: number];

/** Moves every corner a little, as a hand does. */
export function jitter(stroke: Stroke, deviation: number, random: Random): Stroke {
  return {
    kind: stroke.kind,
    points: stroke.points.map(([x, y]): Point => [x + random.normal(deviation), y + random.normal(deviation)]),
  };
}

/** Corners of the path; a curve is a uniform Catmull-Rom spline (Catmull and Rom, 1974) cut into short lines. */
export function flatten({ kind, points }: Stroke): readonly Point[] {
  if (kind === 'line') return points;
  const flat: Point[] = [points[0]];
  for (let i = 0; i + 1 < points.length; i++) {
    const before = points[i - 1] ?? points[i];
    const after = points[i + 2] ?? points[i + 1];
    for (let step = 1; step <= curveSteps; step++) {
      const place = step / curveSteps;
      const along = (axis: 0 | 1) => spline(before[axis], points[i][axis], points[i + 1][axis], after[axis], place);
      flat.push([along(0), along(1)]);
    }
  }
  return flat;
}

/** The curve between `from` (t = 0) and `to` (t = 1), for one coordinate. */
function spline(before: number, from: number, to: number, after: number, t: number): number {
  const square = 2 * before - 5 * from + 4 * to - after;
  const cube = 3 * (from - to) + after - before;
  return from + 0.5 * t * (to - before + t * (square + t * cube));
}

/** An affine map from digit coordinates to pixels. */
export type Pose = (point: Point) => Point;

/** Translation, rotation, scale, aspect and slant of one image. */
export function randomPose(random: Random): Pose {
  const halfHeight = random.uniform(3.8, 5.3);
  const halfWidth = halfHeight * random.uniform(0.8, 1.25);
  const turn = random.normal(0.13);
  const slant = random.normal(0.2);
  const centre = (imageSize - 1) / 2;
  const [left, top] = [centre + random.uniform(-1, 1), centre + random.uniform(-0.8, 0.8)];
  const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
  return ([x, y]) => {
    const [u, v] = [halfWidth * (x - slant * y), halfHeight * y];
    return [left + cos * u - sin * v, top + sin * u + cos * v];
  };
}

export function segmentsOf(path: readonly Point[], pose: Pose): Segment[] {
  const placed = path.map(pose);
  return placed.slice(1).map(([x, y], i): Segment => [placed[i][0], placed[i][1], x, y]);
}

/** Square of the distance of a point from a segment. */
function squaredDistance(px: number, py: number, [x1, y1, x2, y2]: Segment): number {
  const [dx, dy] = [x2 - x1, y2 - y1];
  const along = (px - x1) * dx + (py - y1) * dy;
  const length = dx * dx + dy * dy;
  // The closest point's place on the segment, 0 at its start and 1 at its end.
  const place = along <= 0 ? 0 : along >= length ? 1 : along / length;
  return (px - x1 - place * dx) ** 2 + (py - y1 - place * dy) ** 2;
}

/**
 * Ink of every pixel, 0 (paper) to 1: full within `halfWidth` pixels of the path, fading over `softness` pixels. One
 * pixel of fading is what the area under the pen's edge would give (anti-aliasing).
 */
export function ink(segments: readonly Segment[], halfWidth: number, softness: number): Float64Array {
  return Float64Array.from({ length: imageSize * imageSize }, (_, pixel) => {
    const [x, y] = [pixel % imageSize, Math.floor(pixel / imageSize)];
    let nearest = imageSize * imageSize;
    for (const segment of segments) {
      const distance = squaredDistance(x, y, segment);
      if (distance < nearest) nearest = distance;
    }
    return Math.min(1, Math.max(0, 0.5 + (halfWidth - Math.sqrt(nearest)) / softness));
  });
}
