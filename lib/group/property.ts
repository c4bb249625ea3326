import type { Box } from '../region/box';
import type { Violation } from '../region/violation';
import { effortOf } from './effort';
import type { Engine } from './engine';
import type { Step } from './step';
import { verifyMiniBatch } from './verify';

/** Whether a point of some box violates: VNN-COMP's words for it. */
export type PropertyAnswer =
  | { readonly kind: 'unsat' }
  | { readonly kind: 'sat'; readonly witness: Float32Array }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'timeout' };

const attempts = 2;

/** Settles a disjunction of properties by the efforts of a ball's attempts, within the deadline (ms since the epoch). */
export async function settleProperties(
  engine: Engine,
  properties: readonly { readonly box: Box; readonly violation: Violation }[],
  { deadline, seed, step }: { readonly deadline: number; readonly seed: number; readonly step?: Step },
): Promise<PropertyAnswer> {
  let open = properties.map((property, i) => ({ ...property, seed: seed + i }));
  for (let attempt = 1; attempt <= attempts && open.length > 0; attempt++) {
    const effort = effortOf(attempt, attempt === 1 ? 'first' : 'rest');
    const secondsPerBall = Math.max(0, deadline - Date.now()) / 1000 / open.length;
    const options = {
      effort: { ...effort, searchShare: attempt === 1 ? 0 : 1 },
      deadline,
      secondsPerBall,
      ...(step && { step }),
    };
    const { members } = await verifyMiniBatch(engine, open, options);
    for (const outcome of members) {
      if (outcome.verdict === 'not-robust') return { kind: 'sat', witness: outcome.witness };
    }
    open = open.filter((_, i) => members[i].verdict === 'open').map((target) => ({ ...target, seed: target.seed + 1 }));
    if (open.length > 0 && Date.now() > deadline) return { kind: 'timeout' };
  }
  return { kind: open.length === 0 ? 'unsat' : 'unknown' };
}
