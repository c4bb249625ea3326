/** An object that is not there. */
export class MissingKeyError extends Error {
  override readonly name = 'MissingKeyError';

  constructor(readonly key: string) {
    super(`no object with key ${key}`);
  }
}

/** The storage failed otherwise: access, network, a full disk. Says what was being done to what; the cause is attached. */
export class StorageError extends Error {
  override readonly name = 'StorageError';

  constructor(
    /** What was being done, e.g. `get`. */
    readonly operation: string,
    /** To what, e.g. `s3://bucket/runs/x/run.json`. */
    readonly subject: string,
    reason: string,
    options?: ErrorOptions,
  ) {
    super(`${operation} ${subject}: ${reason}`, options);
  }
}

export interface StoredObject {
  readonly key: string;
  readonly size: number;
}

/**
 * Where a run lives: a flat space of keys (`runs/x/run.json`) and bodies, as in S3. Keys are relative, `/`-separated, of
 * 1 to 1,024 UTF-8 bytes, without empty, `.` or `..` segments, backslashes and NUL; anything else is refused with a
 * TypeError by every implementation (`checkKey` in keys.ts). A put is atomic: a reader sees the old body or the new one, never a part.
 */
export interface Storage {
  /** For messages, e.g. `s3://bucket` or a folder. */
  readonly location: string;
  /** The whole body, at the start of a buffer of its own (so any typed array can view it). Throws MissingKeyError. */
  get(key: string): Promise<Uint8Array>;
  /**
   * Bytes start (inclusive) to end (exclusive), at least one; shorter at the end of the body; in a buffer of its own.
   * Throws MissingKeyError, and RangeError when start is not
   * the position of a byte of the body (so always for an empty one), or when end is not greater than start.
   */
  getRange(key: string, start: number, end: number): Promise<Uint8Array>;
  /** Writes or replaces. */
  put(key: string, body: Uint8Array | string): Promise<void>;
  /**
   * Writes if the key is free; false, with nothing written, if it is taken. Exactly one of concurrent writers gets true. A
   * call that throws may have written (its answer may be what was lost): a caller that tries again must be content with
   * finding its own body there, so bodies are a function of the key, or name their writer.
   */
  putIfAbsent(key: string, body: Uint8Array | string): Promise<boolean>;
  /**
   * All keys with the prefix (a plain string prefix, not a folder), in ascending order of their UTF-8 bytes. TypeError for
   * a prefix that no key can have.
   */
  list(prefix: string): Promise<StoredObject[]>;
}

/** Refuses, with a RangeError, what is not a range of at least one byte. */
export function checkRange(start: number, end: number): void {
  if (!(Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && end > start)) {
    throw new RangeError(`bytes ${start} (inclusive) to ${end} (exclusive) are not a range of at least one byte`);
  }
}

/** The error of a range that begins beyond the end of a body. */
export function rangeBeyondEnd(key: string, start: number, size: number | undefined): RangeError {
  return new RangeError(`${key} has ${size ?? 'fewer'} bytes: none at position ${start}`);
}

/** The body as text (UTF-8). */
export async function getText(storage: Storage, key: string): Promise<string> {
  return new TextDecoder().decode(await storage.get(key));
}

/** The body as JSON; the caller validates it. */
export async function getJson(storage: Storage, key: string): Promise<unknown> {
  return JSON.parse(await getText(storage, key));
}
