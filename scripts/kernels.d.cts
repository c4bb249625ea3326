/** WebAssembly texts, from the repository's root. */
export const sources: readonly string[];

/** The TypeScript file that a source is compiled to, and what it should say. */
export function compiled(source: string): Promise<{ readonly file: string; readonly text: string }>;
