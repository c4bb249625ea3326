import { type RunState, type Status, statuses } from './state';

/** How far a run is at one radius, in balls. */
export type RadiusProgress = { readonly epsilon: number } & Readonly<Record<Status, number>>;

/** How far a run is; the numbers of a progress line. */
export interface Progress {
  /** Rounds merged. */
  readonly rounds: number;
  readonly balls: number;
  /** Balls with a verdict, `unknown` included. */
  readonly settled: number;
  readonly open: number;
  readonly cpuSeconds: number;
  /** Balls proven robust or not robust per CPU-second so far; 0 before the first. */
  readonly velocity: number;
  /** In the order of the radii. */
  readonly radii: readonly RadiusProgress[];
}

export function summarise(state: RunState): Progress {
  const radii = state.epsilons.map((epsilon, index) => {
    const counts = new Uint32Array(statuses.length);
    for (const status of state.status.subarray(index * state.inputs, (index + 1) * state.inputs)) counts[status]++;
    const named = Object.fromEntries(statuses.map((status, code) => [status, counts[code]])) as Record<Status, number>;
    return { epsilon, ...named };
  });
  const sum = (status: Status): number => radii.reduce((total, radius) => total + radius[status], 0);
  const proven = sum('robust') + sum('not-robust');
  return {
    rounds: state.round,
    balls: state.status.length,
    settled: state.status.length - sum('open'),
    open: sum('open'),
    cpuSeconds: state.cpuSeconds,
    velocity: state.cpuSeconds > 0 ? proven / state.cpuSeconds : 0,
    radii,
  };
}
