import type { HistoryEntry } from '../../lib/audit/history';
import type { AuditView } from '../../lib/report/page/audit';
import { hostile } from './hostile';

/** A night after several others, on a model that changed before the last but one; `name` is whatever users named. */
export function sampleAudit(name = (text: string) => text, runs = 6): AuditView {
  const side = (run: number) => ({
    run: name(`night-${run}`),
    model: name('models/digits.onnx'),
    modelHash: name(run < runs - 1 ? 'a'.repeat(64) : 'b'.repeat(64)),
    startedAt: `2026-11-${String(10 + (run % 20)).padStart(2, '0')}T02:00:00.000Z`,
    cleanAccuracy: 0.95,
  });
  const interval = (low: number): [number, number] => [low, Math.min(1, low + 0.02)];
  const entry = (run: number): HistoryEntry => ({
    version: 1,
    policy: name('nightly'),
    policyVersion: 'v',
    occasion: 'audit',
    status: run === 1 ? 'failed' : 'done',
    problems: run === 1 ? [name('no model')] : [],
    radii: ['0.01', '0.02', '8/255'].map((epsilon, k) => ({
      epsilon: name(epsilon) + (name('') === '' ? '' : k),
      value: 0.01 * (k + 1),
      certifiedAccuracy: interval(0.9 - 0.2 * k + 0.01 * (run % 4) - (run >= runs - 1 ? 0.1 : 0)),
    })),
    reused: 10,
    rechecked: 1,
    thresholds: [],
    ...side(run),
  });
  const counts = { robust: 3, 'not-robust': 1, unknown: 0, misclassified: 0 };
  return {
    policy: name('nightly'),
    history: Array.from({ length: runs }, (_, run) => entry(run)),
    difference: {
      version: 1,
      before: side(runs - 2),
      after: side(runs - 1),
      sameModel: false,
      radii: [
        {
          ...{ epsilon: name('0.01'), value: 0.01, compared: 4, onlyBefore: 0, onlyAfter: 1 },
          ...{ newlyProven: 1, newlyBroken: 2, lost: 1, before: counts, after: counts },
          ...{ certifiedBefore: [0.75, 0.75], certifiedAfter: [0.5, 0.55] },
        },
      ],
      balls: [
        {
          ...{ indexBefore: 7, indexAfter: 8, label: 2, epsilon: name('0.01') },
          ...{ before: 'robust', after: 'not-robust', change: 'newly broken' },
        },
        {
          ...{ indexBefore: 9, indexAfter: 9, label: 3, epsilon: name('0.01') },
          ...{ before: 'unknown', after: 'robust', change: 'newly proven' },
        },
      ],
      contradictions: [],
    },
    thresholds: [
      { name: `certified accuracy at ${name('0.01')}`, limit: 0.8, value: 0.5, holds: false },
      { name: 'clean accuracy', limit: 0.9, value: 0.95, holds: true },
      { name: 'newly broken balls', limit: 0, value: 2, holds: false },
    ],
    reused: 12,
    rechecked: 1,
    ignored: name('') === '' ? [] : [name('damaged')],
  };
}

/** The same with every free text hostile. */
export const hostileAudit = (): AuditView => sampleAudit(() => hostile);
