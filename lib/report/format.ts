/** Numbers as people read them, the same in the terminal and in report.html. */

/** 12345 -> `12,345` */
export function formatCount(value: number): string {
  return value.toLocaleString('en-US');
}

/**
 * A share to a tenth of a per cent. `0 %` and `100 %` are exact; what rounds to them without being them is written
 * `< 0.1 %` or `> 99.9 %`.
 */
export function formatShare(share: number): string {
  if (share === 0 || share === 1) return `${share * 100} %`;
  const text = (share * 100).toFixed(1);
  if (text === '0.0') return '< 0.1 %';
  return text === '100.0' ? '> 99.9 %' : `${text} %`;
}

/** The interval in which a certified accuracy lies: `93.1 %`, or `91.0 % to 93.5 %` while balls are open. */
export function formatInterval([lower, upper]: readonly [number, number]): string {
  return lower === upper ? formatShare(lower) : `${formatShare(lower)} to ${formatShare(upper)}`;
}

/** Seconds: `0.0123 s`, `12.3 s`, `3 min 05 s`, `2 h 07 min`. */
export function formatSeconds(seconds: number): string {
  if (seconds === 0) return '0 s';
  if (seconds < 99.95) return `${formatNumber(seconds)} s`;
  const whole = Math.round(seconds);
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  if (whole < 3_600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  const minutes = Math.round(seconds / 60);
  return `${formatCount(Math.floor(minutes / 60))} h ${two(minutes % 60)} min`;
}

/** Three significant digits, without needless zeros: `0.0123`, `12.3`, `1,230`. */
export function formatNumber(value: number): string {
  const rounded = Number(value.toPrecision(3));
  return Math.abs(rounded) >= 1_000 ? rounded.toLocaleString('en-US') : String(rounded);
}

/** Dollars: `$12.30`, `$0.0123`, `$0.0000045`. */
export function formatUsd(usd: number): string {
  if (usd >= 1) return `$${usd.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
  return `$${usd.toLocaleString('en-US', { maximumSignificantDigits: 3, useGrouping: false, maximumFractionDigits: 20 })}`;
}

/** `value` to `digits` significant decimal digits, never above it: a proven lower bound stays one. */
export function roundDown(value: number, digits: number): number {
  const nearest = Number(value.toPrecision(digits));
  if (nearest <= value) return nearest;
  const unit = 10 ** (Math.floor(Math.log10(Math.abs(value))) - digits + 1);
  return Number((nearest - unit).toPrecision(digits));
}

/** `1 ball`, `2 balls`; nouns that form their plural with an s. */
export function formatNoun(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}
