import { MissingKeyError, type Storage, type StoredObject } from '../../lib/storage/storage';

/** A storage for these tests: what was put, in memory. */
export class MemoryStorage implements Storage {
  readonly location = 'memory';
  readonly bodies: Map<string, Buffer>;

  constructor(bodies: Iterable<readonly [string, Uint8Array | string]> = []) {
    this.bodies = new Map([...bodies].map(([key, body]) => [key, Buffer.from(body)]));
  }

  async get(key: string): Promise<Uint8Array> {
    const body = this.bodies.get(key);
    if (body === undefined) throw new MissingKeyError(key);
    return body;
  }

  async getRange(key: string, start: number, end: number): Promise<Uint8Array> {
    return (await this.get(key)).subarray(start, end);
  }

  async put(key: string, body: Uint8Array | string): Promise<void> {
    this.bodies.set(key, Buffer.from(body));
  }

  async putIfAbsent(key: string, body: Uint8Array | string): Promise<boolean> {
    if (this.bodies.has(key)) return false;
    await this.put(key, body);
    return true;
  }

  async list(prefix: string): Promise<StoredObject[]> {
    const keys = [...this.bodies.keys()].filter((key) => key.startsWith(prefix)).sort();
    return keys.map((key) => ({ key, size: this.bodies.get(key)?.length ?? 0 }));
  }
}
