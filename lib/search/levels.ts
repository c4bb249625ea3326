import type { Level } from './regions';

/**
 * How hard a ball is tried, one level after the other: cheap for those that nearly suffice with the bounds at hand, then more and more of
 * tightening them. docs/search.md says what was measured.
 */
export const levels: readonly Level[] = [
  { tightenSteps: 0, leaves: 0, limit: 64 },
  { tightenSteps: 12, leaves: 128, widest: 12, limit: 256 },
  { tightenSteps: 12, leaves: 48, limit: 1000 },
  { tightenSteps: 12, leaves: 256, limit: 4000 },
  { tightenSteps: 12, leaves: 1000, limit: 8000 },
];
