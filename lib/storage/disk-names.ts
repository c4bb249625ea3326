/**
 * How keys are written as file names. An ordinary key is its own path: `runs/x/report.json` is that file in that folder.
 * The rest of S3's key space is escaped with `%`, which no ordinary name contains:
 *
 * - `%` itself is `%25`;
 * - a segment longer than a file name may be goes on in a folder: `<first part>%more/<rest>`;
 * - S3 may hold both `a` and `a/b`. Whichever comes first gets the plain name; the other one goes to `a%object` (when the
 *   folder was first) or below `a%folder` (when the object was first). See disk-places.ts.
 */
export const marks = { more: '%more', object: '%object', folder: '%folder' } as const;

/** Where bodies are written before they get their name. No key maps to it: a `%` of a key is always followed by 25. */
export const temporaryFolder = '%temporary';

/** File names are at most 255 bytes on common file systems; this leaves room for a mark. */
const longestName = 240;

/** The file names of a key, outermost first: folders, then the object. */
export function diskNames(key: string): string[] {
  return key.split('/').flatMap(segmentNames);
}

function segmentNames(segment: string): string[] {
  const names: string[] = [];
  let name = '';
  let bytes = 0;
  for (const character of segment) {
    const escaped = character === '%' ? '%25' : character;
    const size = Buffer.byteLength(escaped);
    if (bytes + size > longestName) {
      names.push(name + marks.more);
      name = '';
      bytes = 0;
    }
    name += escaped;
    bytes += size;
  }
  return [...names, name];
}

/** What a folder's name adds to the keys of the objects in it. */
export function textOfFolder(name: string): string {
  if (name.endsWith(marks.more)) return unescaped(name.slice(0, -marks.more.length));
  return `${unescaped(withoutMark(name, marks.folder))}/`;
}

/** What an object's file name adds to its key. */
export function textOfObject(name: string): string {
  return unescaped(withoutMark(name, marks.object));
}

/** The name without the mark at its end, if it has it. */
export function withoutMark(name: string, mark: string): string {
  return name.endsWith(mark) ? name.slice(0, -mark.length) : name;
}

const unescaped = (name: string) => name.replaceAll('%25', '%');
