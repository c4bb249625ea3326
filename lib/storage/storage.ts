/** An object that is not there. */
export class MissingKeyError extends Error {
  override readonly name = 'MissingKeyError';

  constructor(readonly key: string) {
    super(`no object with key ${key}`);
  }
}

export interface StoredObject {
  readonly key: string;
  readonly size: number;
}

/**
 * Where a run lives: a flat space of keys (`runs/x/run.json`) and bodies, as in S3. Keys are relative, `/`-separated, of
 * 1 to 1,024 UTF-8 bytes, without empty, `.` or `..` segments; anything else is refused with a TypeError by every
 * implementation. A put is atomic: a reader sees the old body or the new one, never a part.
 */
export interface Storage {
  /** For messages, e.g. `s3://bucket` or a folder. */
  readonly location: string;
  /** The whole body. Throws MissingKeyError. */
  get(key: string): Promise<Uint8Array>;
  /** Bytes start (inclusive) to end (exclusive); shorter at the end of the body, RangeError when start lies beyond it. */
  getRange(key: string, start: number, end: number): Promise<Uint8Array>;
  /** Writes or replaces. */
  put(key: string, body: Uint8Array | string): Promise<void>;
  /** Writes if the key is free; false, with nothing written, if it is taken. Exactly one of concurrent writers wins. */
  putIfAbsent(key: string, body: Uint8Array | string): Promise<boolean>;
  /** All keys with the prefix (a plain string prefix, not a folder), in ascending order of their UTF-8 bytes. */
  list(prefix: string): Promise<StoredObject[]>;
}

/** The body as text (UTF-8). */
export async function getText(storage: Storage, key: string): Promise<string> {
  return new TextDecoder().decode(await storage.get(key));
}

/** The body as JSON; the caller validates it. */
export async function getJson(storage: Storage, key: string): Promise<unknown> {
  return JSON.parse(await getText(storage, key));
}
