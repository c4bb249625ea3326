import type { Run } from '../group/cut';
import { type Random, shuffled } from '../random';

/** How many times the balls tried so far a round tries for the first time. */
const growth = 4;

/** Most neighbours in a cluster tree that are tried in one piece while the round cannot try all. */
const largestPiece = 512;

/** Entries `start` to `end` of the run of some new balls. */
export interface Piece<Balls extends { readonly run: Run }> {
  readonly balls: Balls;
  readonly start: number;
  readonly end: number;
}

/**
 * How many balls of a radius a round tries for the first time. The first round is a sample, from which sizes are learned
 * before most balls are planned: 5 % of the balls, or 64 for every worker where that is more, but no more than a quarter
 * then, and at least 32. Later rounds try four times what was tried before, so that at most three rounds try new balls.
 * Where an earlier run has left its experience (`informed`), the sample is skipped.
 */
export function firstTries(balls: {
  readonly total: number;
  readonly left: number;
  readonly workers: number;
  readonly informed: boolean;
}): number {
  const { total, left, workers, informed } = balls;
  const sample = Math.max(Math.ceil(total / 20), Math.min(64 * workers, Math.ceil(total / 4)), 32);
  const tried = total - left;
  const quota = tried > 0 ? growth * tried : informed ? growth * sample : sample;
  return left <= 1.5 * quota ? left : quota;
}

/**
 * Which of the new balls a round tries: all of them where `quota` allows, otherwise random pieces of the trees. A piece keeps
 * neighbours together, so that mini-batches of the sample are as similar inside as those of the whole will be, and is at
 * most a quarter of the quota, so that several labels take part.
 */
export function choosePieces<Balls extends { readonly run: Run }>(
  news: readonly Balls[],
  quota: number,
  rng: Random,
): Piece<Balls>[] {
  const left = news.reduce((sum, { run }) => sum + run.inputs.length, 0);
  const isAll = left <= quota;
  const length = isAll ? left : Math.min(largestPiece, Math.max(32, Math.floor(quota / 4)));
  const pieces = news.flatMap((balls) => piecesOf(balls, length));
  if (isAll) return pieces;
  const chosen: Piece<Balls>[] = [];
  let room = quota;
  for (const index of shuffled(pieces.length, rng)) {
    if (room === 0) break;
    const { balls, start, end } = pieces[index];
    const size = Math.min(end - start, room);
    room -= size;
    chosen.push({ balls, start, end: start + size });
  }
  return chosen;
}

function piecesOf<Balls extends { readonly run: Run }>(balls: Balls, length: number): Piece<Balls>[] {
  const count = balls.run.inputs.length;
  const starts = Array.from({ length: Math.ceil(count / length) }, (_, i) => i * length);
  return starts.map((start) => ({ balls, start, end: Math.min(start + length, count) }));
}
