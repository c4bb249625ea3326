/** HTML that is safe to insert as it is. Only `html` and `trusted` make it. */
export interface Markup {
  readonly markup: string;
}

/** What `html` takes: text is escaped, markup is not, arrays are joined, undefined and false leave nothing. */
export type Part = string | number | Markup | undefined | false | readonly Part[];

/** A template whose values are escaped, as text and in double-quoted attributes. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return { markup: strings.reduce((text, next, k) => text + render(parts[k - 1]) + next) };
}

/** Markup that this project's own code produced; never with anything of the user in it that is not escaped. */
export function trusted(markup: string): Markup {
  return { markup };
}

function render(part: Part): string {
  if (part === undefined || part === false) return '';
  if (typeof part === 'string' || typeof part === 'number') return escapeHtml(String(part));
  return isMarkup(part) ? part.markup : part.map(render).join('');
}

function isMarkup(part: Markup | readonly Part[]): part is Markup {
  return 'markup' in part;
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Escapes text for HTML content and quoted attributes; control characters, which HTML forbids, become U+FFFD. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character]).replace(/[^\P{Cc}\t\n]/gu, '\ufffd');
}

/** JSON as the content of a `<script type="application/json">`: no `<`, so that nothing in it can end the element. */
export function jsonMarkup(value: unknown): Markup {
  return trusted(JSON.stringify(value).replaceAll('<', '\\u003c'));
}
