/** From the pool to a child: do this. One at a time. */
export interface Invocation {
  readonly functionName: string;
  readonly payload: unknown;
}

/** From a child to the pool: how it went. `cpuSeconds` counts all threads of the process. */
export type Reply =
  | { readonly kind: 'result'; readonly payload: unknown; readonly cpuSeconds: number }
  | { readonly kind: 'error'; readonly error: string; readonly cause: string; readonly cpuSeconds: number };
