/** Substitutions of statemachine/verification.asl.json, which CloudFormation makes on AWS. */
export interface Substitutions {
  readonly PlanFunctionArn: string;
  readonly VerifyFunctionArn: string;
  readonly RefineFunctionArn: string;
  readonly CoordinateFunctionArn: string;
  readonly ReportFunctionArn: string;
  readonly BucketName: string;
}

/**
 * The definition with every `${Name}` replaced; an unknown one stays, for check.ts to refuse. Values stand inside strings
 * and inside JSONata strings, so they may not hold quotes, backslashes or control characters: TypeError.
 */
export function substitute(definition: unknown, values: Substitutions): unknown {
  for (const [name, value] of Object.entries(values)) {
    if (!/^[\w.:/-]+$/.test(value)) throw new TypeError(`${name} '${value}': use letters, digits and . _ : / - only`);
  }
  const known = new Map<string, string>(Object.entries(values));
  const text = JSON.stringify(definition).replace(/\$\{(\w+)\}/g, (whole, name: string) => known.get(name) ?? whole);
  return JSON.parse(text);
}
