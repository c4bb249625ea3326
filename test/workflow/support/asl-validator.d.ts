declare module 'asl-validator' {
  /** Checks a definition against JSON schemas of Amazon States Language. */
  export default function validate(definition: unknown): {
    readonly isValid: boolean;
    errorsText(separator?: string): string;
  };
}
