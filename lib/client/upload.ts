import { createHash } from 'node:crypto';
import type { DataSet, Preprocessing } from '../dataset/dataset';
import { littleEndianBytes } from '../dataset/elements';
import { writeRecords } from '../dataset/records';
import { modelHash } from '../network/hash';
import type { Storage } from '../storage/storage';

/** Where something is in storage, and whether it had to be put there. */
export interface Uploaded {
  readonly key: string;
  readonly uploaded: boolean;
}

/**
 * Puts a model where its content says (`models/sha256/<hash>`), unless it is there. The key does not end in `.onnx`: a model of
 * one run is no upload that policies are about.
 */
export async function uploadModel(storage: Storage, model: Uint8Array): Promise<Uploaded> {
  const key = `models/sha256/${modelHash(model)}`;
  if (await isThere(storage, key, model.length)) return { key, uploaded: false };
  await storage.put(key, model);
  return { key, uploaded: true };
}

/** Stores a data set in canonical form where content and preprocessing say (`datasets/sha256/<hash>`), unless it is there. */
export async function uploadDataSet(
  storage: Storage,
  dataset: DataSet,
  preprocessing: Preprocessing,
  name: string,
): Promise<Uploaded> {
  const prefix = `datasets/sha256/${hashOf(dataset, preprocessing)}`;
  // Written last: where it is, the rest is.
  if (await isThere(storage, `${prefix}/dataset.json`)) return { key: prefix, uploaded: false };
  await writeRecords(storage, prefix, dataset, preprocessing, name);
  return { key: prefix, uploaded: true };
}

/** Of everything that is stored but the name. */
function hashOf({ count, shape, values, labels }: DataSet, preprocessing: Preprocessing): string {
  const { layout, scale, mean, std, clip } = preprocessing;
  const about = [values.constructor.name, count, shape, layout, scale, mean, std, clip];
  return createHash('sha256')
    .update(`${JSON.stringify(about)}\n`)
    .update(littleEndianBytes(values))
    .update(littleEndianBytes(labels))
    .digest('hex');
}

async function isThere(storage: Storage, key: string, size?: number): Promise<boolean> {
  const found = (await storage.list(key)).find((object) => object.key === key);
  return found !== undefined && (size === undefined || found.size === size);
}
