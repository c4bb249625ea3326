import type { Storage } from '../../../lib/storage/storage';
import { memoryStorage } from '../../support/memory-storage';

/** A bucket in memory that holds these objects already. */
export async function bucketWith(objects: Readonly<Record<string, string>>): Promise<Storage> {
  const storage = memoryStorage();
  for (const [key, text] of Object.entries(objects)) await storage.put(key, text);
  return storage;
}
