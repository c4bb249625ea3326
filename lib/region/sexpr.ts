/** A symbol or number, with the line it stands on (from 1). */
export interface Atom {
  readonly text: string;
  readonly line: number;
}

/** A parenthesised list, with the line of its opening parenthesis. */
export interface List {
  readonly items: readonly Expression[];
  readonly line: number;
}

export type Expression = Atom | List;

export function isList(expression: Expression): expression is List {
  return 'items' in expression;
}

/** An expression as source text, cut to `length` characters, for messages. */
export function textOf(expression: Expression, length = 60): string {
  const write = (part: Expression): string => (isList(part) ? `(${part.items.map(write).join(' ')})` : part.text);
  const text = write(expression);
  return text.length <= length ? text : `${text.slice(0, length - 3)}...`;
}

/** Deeper nesting is refused, so that walking an expression cannot exhaust the stack. */
const deepest = 500;

/** A quoted string or symbol, else a plain symbol or number. A quote that is never closed stands alone. */
const token = /"[^"]*"|\|[^|]*\||[^\s()";|]+|["|]/y;

/**
 * The expressions of an SMT-LIB text (comments run from `;` to the end of the line), and what is wrong with its
 * parentheses.
 */
export function parseExpressions(text: string): { readonly expressions: Expression[]; readonly problems: string[] } {
  const expressions: Expression[] = [];
  const problems: string[] = [];
  const open: { items: Expression[]; line: number }[] = [];
  let items = expressions;
  let line = 1;
  let at = 0;

  const lineEnd = () => {
    const end = text.indexOf('\n', at);
    return end < 0 ? text.length : end;
  };
  const openList = (): void => {
    const list = { items: [], line };
    items.push(list);
    open.push(list);
    items = list.items;
  };
  const closeList = (): void => {
    if (open.pop() === undefined) problems.push(`line ${line}: this ")" closes nothing`);
    items = open.at(-1)?.items ?? expressions;
  };
  const readAtom = (): void => {
    token.lastIndex = at;
    const part = token.exec(text)?.[0] ?? text[at];
    if (part === '"' || part === '|') problems.push(`line ${line}: this ${part} is never closed`);
    items.push({ text: part, line });
    if (part[0] === '"' || part[0] === '|') line += part.split('\n').length - 1;
    at += part.length;
  };

  while (at < text.length) {
    switch (text[at]) {
      case '\n':
        line++;
        at++;
        break;
      case ' ':
      case '\t':
      case '\r':
        at++;
        break;
      case ';':
        at = lineEnd();
        break;
      case '(':
        if (open.length === deepest) {
          problems.push(`line ${line}: more than ${deepest} parentheses are open`);
          return { expressions, problems };
        }
        openList();
        at++;
        break;
      case ')':
        closeList();
        at++;
        break;
      default:
        readAtom();
    }
  }
  if (open.length > 0) problems.push(`line ${open[0].line}: this "(" is never closed: is the file whole?`);
  return { expressions, problems };
}
