import { availableParallelism } from 'node:os';
import { InvalidArgumentError } from 'commander';
import { type Caps, capsOf } from '../schedule/caps';
import { requestLimits } from '../schedule/request-limits';

/** Parsers of option values for commander: each says what is wrong with the value. */
export function positiveInteger(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new InvalidArgumentError('It must be a whole number above 0.');
}

export function nonNegativeInteger(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isSafeInteger(value) && value >= 0 && value < 2 ** 31) return value;
  throw new InvalidArgumentError('It must be a whole number of 0 or more, below 2^31.');
}

export function positiveNumber(text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new InvalidArgumentError('It must be a number above 0.');
}

/** `workers` of a request. */
export function workerCount(text: string): number {
  const value = positiveInteger(text);
  if (value <= requestLimits.workers) return value;
  throw new InvalidArgumentError(`It must be at most ${requestLimits.workers}.`);
}

/** `secondsPerBall` of a request. */
export function ballSeconds(text: string): number {
  const value = positiveNumber(text);
  if (value <= requestLimits.secondsPerBall) return value;
  throw new InvalidArgumentError(
    `It must be at most ${requestLimits.secondsPerBall}: what takes longer stays unknown.`,
  );
}

export function share(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && value <= 1) return value;
  throw new InvalidArgumentError('It must be a number of 0 to 1.');
}

/** A number or a fraction: `0.5`, `1/255`. */
export function fraction(text: string): number {
  const parts = text.split('/').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  const value = parts.length > 2 ? Number.NaN : parts.reduce((a, b) => a / b);
  if (Number.isFinite(value)) return value;
  throw new InvalidArgumentError('It must be a number or a fraction such as 1/255.');
}

/** Numbers or fractions with commas between. */
export function fractions(text: string): number[] {
  return text.split(',').map(fraction);
}

/** The caps of `--max-usd` and `--max-minutes`. */
export function capsFrom(options: { readonly maxUsd?: number; readonly maxMinutes?: number }): Caps {
  const { maxUsd, maxMinutes } = options;
  return capsOf({ maxUsd, ...(maxMinutes !== undefined && { maxSeconds: 60 * maxMinutes }) });
}

export const defaultWorkers = (): number => availableParallelism();
