import Table from 'cli-table3';
import { createColors } from 'picocolors';
import { formatCount, formatInterval, formatNoun } from '../report/format';
import type { ChangedBall, RunDifference } from './difference';

/** The difference of two runs for a terminal: one row per radius, then the first changed balls, the broken ones before others. */
export function differenceTable(difference: RunDifference, mostBalls: number, colour: boolean): string {
  const paint = createColors(colour);
  const { before, after, sameModel, radii, balls, contradictions } = difference;
  const plain = { style: { head: [], border: [], compact: true } };
  const titles = ['epsilon', 'balls in both', 'newly proven', 'newly broken', 'lost', 'certified before', 'after'];
  const table = new Table({
    ...plain,
    head: titles.map((title) => paint.bold(title)),
    colAligns: ['left', ...titles.slice(1).map(() => 'right' as const)],
  });
  const coloured = (value: number, paintIt: (text: string) => string): string =>
    value === 0 ? '0' : paintIt(formatCount(value));
  const interval = (value: readonly [number, number] | undefined): string => (value ? formatInterval(value) : '-');
  for (const radius of radii) {
    table.push([
      printable(radius.epsilon),
      formatCount(radius.compared),
      coloured(radius.newlyProven, paint.green),
      coloured(radius.newlyBroken, paint.red),
      coloured(radius.lost, paint.yellow),
      interval(radius.certifiedBefore),
      interval(radius.certifiedAfter),
    ]);
  }
  const model = sameModel
    ? `the same version of ${printable(after.model)}`
    : `${printable(before.model)} (${before.modelHash.slice(0, 12)}) and ${printable(after.model)} (${after.modelHash.slice(0, 12)})`;
  const lines = [
    `${printable(before.run)} of ${before.startedAt} and ${printable(after.run)} of ${after.startedAt}: ${model}`,
  ];
  lines.push(table.toString());
  if (balls.length > 0 && mostBalls > 0) lines.push(...changedLines(balls, mostBalls, plain));
  if (contradictions.length > 0) {
    lines.push(
      paint.red(paint.bold('Verdicts contradict each other: one of each pair is wrong, and no verdict deserves trust')),
    );
    lines.push(...contradictions.map((contradiction) => `- ${printable(contradiction)}`));
  }
  return lines.join('\n');
}

const rank: Readonly<Record<ChangedBall['change'], number>> = {
  'newly broken': 0,
  lost: 1,
  'newly proven': 2,
  other: 3,
};

function changedLines(balls: readonly ChangedBall[], most: number, plain: object): string[] {
  const shown = balls.toSorted((a, b) => rank[a.change] - rank[b.change]).slice(0, most);
  const table = new Table({ ...plain, head: ['change', 'input', 'label', 'epsilon', 'before', 'after'] });
  for (const { change, indexBefore, indexAfter, label, epsilon, before, after } of shown) {
    const input = indexBefore === indexAfter ? String(indexAfter) : `${indexBefore} -> ${indexAfter}`;
    table.push([change, input, String(label), printable(epsilon), before, after]);
  }
  const more = balls.length - shown.length;
  return [table.toString(), ...(more > 0 ? [`and ${formatNoun(more, 'more changed ball')} (--balls, --json)`] : [])];
}

/** Text of the user without control characters: an escape sequence in a name does not reach the terminal. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, ' ');
}
