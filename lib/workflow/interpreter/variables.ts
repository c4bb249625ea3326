import type { ExprNode } from 'jsonata';

/** JSONata's functions that Step Functions and jsonata give alike. Not among them: $eval, and the additions of AWS. */
const functions = `abs append assert average base64decode base64encode boolean ceil contains count
  decodeUrl decodeUrlComponent distinct each encodeUrl encodeUrlComponent error exists filter floor formatBase
  formatInteger formatNumber fromMillis join keys length lookup lowercase map match max merge millis min not now number
  pad parseInteger power reduce replace reverse round sift single sort split spread sqrt string substring
  substringAfter substringBefore sum toMillis trim type uppercase zip`.split(/\s+/);
export const knownFunctions: ReadonlySet<string> = new Set(functions);

/** Names `$x` that the expression uses but does not bind itself; `$` and `$$` are the empty input. */
export function freeVariables(root: ExprNode): string[] {
  const used = new Set<string>();
  const bound = new Set<string>();
  visit(root);
  return [...used].filter((name) => !bound.has(name));

  function visit(node: unknown): void {
    if (Array.isArray(node)) node.forEach(visit);
    if (typeof node !== 'object' || node === null || Array.isArray(node)) return;
    const { type, value, lhs, arguments: parameters } = node as ExprNode;
    if (type === 'variable' && typeof value === 'string') used.add(value);
    if ((type as string) === 'bind' && lhs !== undefined && !Array.isArray(lhs)) bound.add(String(lhs.value));
    if (type === 'lambda') for (const parameter of parameters ?? []) bound.add(String(parameter.value));
    Object.values(node).forEach(visit);
  }
}
