import { XMLBuilder, XMLParser } from 'fast-xml-parser';

/** What an element holds: text, elements by name, or several elements of one name. `undefined` leaves the element out. */
export type Content = string | number | boolean | undefined | { readonly [name: string]: Content | readonly Content[] };

const builder = new XMLBuilder({
  ignoreAttributes: false,
  processEntities: false,
  tagValueProcessor: (_, value) => escaped(String(value)),
});

/** An XML document of one element, in a namespace or (errors of S3) in none. */
export function document(name: string, namespace: string | undefined, content: Content): string {
  const attributes = namespace === undefined ? {} : { '@_xmlns': namespace };
  const declaration = { '@_version': '1.0', '@_encoding': 'UTF-8' };
  const body = typeof content === 'object' ? content : { '#text': content };
  return builder.build({ '?xml': declaration, [name]: { ...attributes, ...withoutUndefined(body) } });
}

/** Like S3, a control character becomes a reference even where XML 1.0 does not allow it. */
function escaped(value: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is escaped
  return value.replace(/[&<>"\u0000-\u001f]/g, (character) => `&#${character.charCodeAt(0)};`);
}

function withoutUndefined(content: object): object {
  return Object.fromEntries(Object.entries(content).filter(([, value]) => value !== undefined));
}

const parser = new XMLParser({ parseTagValue: false, ignoreDeclaration: true, isArray: (name) => name === 'Part' });

/** The elements of a document by name; text stays text. Throws what the parser throws for text that is no XML. */
export function parseDocument(text: string): unknown {
  return parser.parse(text, true);
}
