import type { Random } from '../random';

export type Point = readonly [x: number, y: number];

/**
 * The path of the pen for one touch: corners joined by straight lines (`line`) or by a smooth curve through them
 * (`curve`). The digit fills about x in [-0.6, 0.6] and y in [-1, 1], y pointing down.
 */
export interface Stroke {
  readonly kind: 'line' | 'curve';
  readonly points: readonly Point[];
}

const line = (...points: Point[]): Stroke => ({ kind: 'line', points });
const curve = (...points: Point[]): Stroke => ({ kind: 'curve', points });

/** Points on an ellipse; angles in quarter turns, clockwise from three o'clock because y points down. */
function arc(centre: Point, radii: Point, from: number, to: number): Point[] {
  const steps = Math.max(2, Math.ceil(Math.abs(to - from) * 2));
  return Array.from({ length: steps + 1 }, (_, i): Point => {
    const angle = ((from + ((to - from) * i) / steps) * Math.PI) / 2;
    return [centre[0] + radii[0] * Math.cos(angle), centre[1] + radii[1] * Math.sin(angle)];
  });
}

type Writing = (random: Random) => Stroke[];

const zero: Writing = (random) => {
  const start = random.uniform(-1.6, -0.6);
  return [curve(...arc([0, 0], [random.uniform(0.45, 0.65), 0.97], start, start - random.uniform(3.8, 4.15)))];
};

const one: Writing = (random) => {
  const strokes = [line([0, -1], [0, 1])];
  if (random.chance(0.45)) strokes.push(line([0, -1], [random.uniform(-0.45, -0.25), random.uniform(-0.7, -0.5)]));
  if (random.chance(0.2)) strokes.push(line([-0.35, 1], [0.35, 1]));
  return strokes;
};

const two: Writing = (random) => {
  const head: Point[] = [
    [-0.5, -0.6],
    [-0.25, -0.93],
    [0.15, -0.97],
    [0.45, -0.65],
    [0.38, -0.2],
    [0, 0.35],
  ];
  return random.chance(0.3)
    ? [curve(...head, [-0.4, 0.9], [-0.5, 0.65], [-0.2, 0.7], [0.2, 0.95], [0.6, 0.8])]
    : [curve(...head, [-0.5, 0.95]), line([-0.5, 0.95], [0.6, random.uniform(0.85, 1)])];
};

const three: Writing = (random) => {
  const belly: Point[] = [
    [0.35, 0.12],
    [0.53, 0.5],
    [0.3, 0.9],
    [-0.1, 1],
    [-0.52, 0.75],
  ];
  return random.chance(0.25)
    ? [line([-0.45, -0.95], [0.45, -0.95], [-0.05, -0.15]), curve([-0.05, -0.15], ...belly)]
    : [curve([-0.48, -0.75], [-0.1, -1], [0.35, -0.85], [0.4, -0.4], [-0.08, -0.08]), curve([-0.08, -0.08], ...belly)];
};

const four: Writing = (random) => {
  const bar = random.uniform(0.15, 0.4);
  return random.chance(0.5)
    ? [line([-0.3, -0.95], [-0.5, bar], [0.65, bar]), line([0.3, -0.7], [0.22, 1])]
    : [line([0.22, 1], [0.28, -1], [-0.55, bar], [0.65, bar])];
};

const five: Writing = (random) => {
  const shoulder: Point = [-0.42, random.uniform(-0.2, 0)];
  return [
    line([random.uniform(0.4, 0.6), -0.95], [-0.38, -0.92], shoulder),
    curve(shoulder, [0.05, -0.25], [0.47, 0.05], [0.5, 0.55], [0.1, 0.96], [-0.52, 0.8]),
  ];
};

const six: Writing = (random) => {
  const top = random.uniform(0, 0.15);
  return [
    curve(
      [random.uniform(0.2, 0.45), -0.97],
      [-0.2, -0.55],
      [-0.48, 0.1],
      [-0.45, 0.65],
      [-0.05, 0.98],
      [0.4, 0.8],
      [0.45, top + 0.35],
      [0.05, top],
      [-0.42, top + 0.4],
    ),
  ];
};

const seven: Writing = (random) => {
  const strokes = [line([-0.52, -0.9], [0.52, -0.92]), curve([0.52, -0.92], [0.15, -0.1], [-0.12, 1])];
  if (random.chance(0.35)) strokes.push(line([-0.25, 0.05], [0.45, random.uniform(-0.05, 0.05)]));
  return strokes;
};

const eight: Writing = (random) => {
  const waist = random.uniform(-0.2, 0);
  const up = (waist - 1) / 2;
  const down = (waist + 1) / 2;
  return [
    curve([0.1, waist - 0.1], [-0.35, up], [-0.22, -0.9], [0.15, -0.98], [0.38, up], [0, waist]),
    curve([0, waist], [-0.45, down], [-0.25, 0.95], [0.22, 0.96], [0.48, down], [0.1, waist - 0.1]),
  ];
};

const nine: Writing = (random) => {
  const loop = arc([-0.03, -0.48], [0.43, 0.47], -0.3, -4);
  const end: Point = random.chance(0.4) ? [random.uniform(-0.4, -0.1), 0.95] : [random.uniform(0.2, 0.4), 1];
  return [curve(...loop), curve([0.4, -0.6], [0.4, 0.15], end)];
};

const writings: readonly Writing[] = [zero, one, two, three, four, five, six, seven, eight, nine];

/** One way of writing the digit (0 to 9), before the hand's jitter and the pose. */
export function strokesOf(digit: number, random: Random): Stroke[] {
  return writings[digit](random);
}
