import { BadInputError } from '../errors';
import type { Preprocessing } from './dataset';

/** A radius in pixel units, with the text the user knows it by. */
export interface Epsilon {
  readonly text: string;
  readonly value: number;
}

const number = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** The problem of one radius, or its value: `0.02`, `8/255`, `1e-3`. */
function read(text: string, [low, high]: Preprocessing['clip']): number | string {
  const parts = text.split('/').map((part) => part.trim());
  if (parts.length > 2 || !parts.every((part) => number.test(part))) {
    return `${JSON.stringify(text)} is not a radius: write a number (0.02, 1e-3) or a fraction (8/255)`;
  }
  const value = parts.map(Number).reduce((numerator, denominator) => numerator / denominator);
  if (Number.isNaN(value) || value === Infinity) return `radius ${text} is not a finite number`;
  if (value <= 0) return `radius ${text}${String(value) === text ? '' : `, which is ${value},`} must be above 0`;
  if (value > high - low) {
    return (
      `radius ${text} is wider than the valid range [${low}, ${high}] of a pixel: ` +
      `it is in pixel units after scaling${value >= 1 && value <= 255 && high - low === 1 ? ` (${text}/255?)` : ''}`
    );
  }
  return value;
}

/** One radius. Throws BadInputError for rubbish, zero, negative and anything wider than `clip`, the range of a pixel. */
export function parseEpsilon(text: string, clip: Preprocessing['clip'] = [0, 1]): Epsilon {
  const trimmed = text.trim();
  const value = read(trimmed, clip);
  if (typeof value === 'string') throw new BadInputError('epsilon', [value]);
  return { text: trimmed, value };
}

/** Comma-separated radii, in the order given. Throws BadInputError with the problems of all, duplicates included. */
export function parseEpsilons(text: string, clip: Preprocessing['clip'] = [0, 1]): Epsilon[] {
  const epsilons: Epsilon[] = [];
  const problems: string[] = [];
  for (const part of text.split(',').map((item) => item.trim())) {
    const value = read(part, clip);
    const same = epsilons.find((known) => known.value === value);
    if (typeof value === 'string') problems.push(value);
    else if (same !== undefined) problems.push(`radius ${part} is given twice (as ${same.text}): leave one out`);
    else epsilons.push({ text: part, value });
  }
  if (problems.length > 0) throw new BadInputError('epsilon', problems);
  return epsilons;
}
