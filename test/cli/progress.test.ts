import { PassThrough } from 'node:stream';
import type { Output } from '../../lib/cli/host';
import { createProgress } from '../../lib/cli/progress';

function stream(isTTY: boolean): { output: Output; text(): string } {
  const output = Object.assign(new PassThrough(), { isTTY, columns: 120 });
  return { output, text: () => output.read()?.toString() ?? '' };
}

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

test('where nobody watches: a line every few seconds, with the time left', () => {
  const { output, text } = stream(false);
  const progress = createProgress(false, output);
  progress.phase('round 1');
  progress.update(10, 4_000, '9 robust');
  expect(text()).toBe('');
  jest.advanceTimersByTime(6_000);
  progress.update(1_000, 4_000, '900 robust, 3 not robust');
  progress.update(1_001, 4_000, '900 robust, 3 not robust');
  progress.stop();
  expect(text()).toBe('1,000 of 4,000 balls, about 18 s left; 900 robust, 3 not robust\n');
});

test('the time left follows the speed of late, and is left out where nothing is settled', () => {
  const { output, text } = stream(false);
  const progress = createProgress(false, output);
  const shown = [980, 990, 991, 992, 993, 994, 994, 994, 994, 994, 994].map((settled) => {
    jest.advanceTimersByTime(5_000);
    progress.update(settled, 1_000, '');
    return /about (\d+) s left/.exec(text())?.[1];
  });
  expect(shown.slice(0, 2)).toEqual(['1', '1']);
  expect(shown.slice(5, 7)).toEqual(['30', '40']);
  expect(shown.slice(-2)).toEqual([undefined, undefined]);
});

test('on a terminal: a bar that goes away', () => {
  const { output, text } = stream(true);
  const progress = createProgress(false, output);
  progress.phase('planning');
  expect(text()).toContain('planning');
  progress.phase('round 1');
  progress.update(30, 60, '30 robust');
  progress.update(45, 60, '44 robust');
  jest.advanceTimersByTime(1_000);
  progress.stop();
  const shown = text();
  for (const part of ['round 1', '/60 balls', 'robust']) expect(shown).toContain(part);
  expect(shown).not.toMatch(/\n/);
});

test('with --json: nothing', () => {
  const { output, text } = stream(true);
  const progress = createProgress(true, output);
  progress.phase('planning');
  progress.update(1, 2, '');
  progress.stop();
  expect(text()).toBe('');
});
