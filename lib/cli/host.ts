/** A stream that text is written to, and whether a person watches it. */
export type Output = NodeJS.WritableStream & { readonly isTTY?: boolean };

/** What a command stands in: where it writes, and the entry of its child processes (lib/cli/worker.ts, bundled). */
export interface Host {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly worker: string;
}
