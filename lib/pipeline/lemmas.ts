import { engineVersion } from '../engine-version';
import { BadInputError } from '../errors';
import { decodeLemma, encodeLemma } from '../group/lemmas/codec';
import type { Lemma } from '../group/lemmas/lemma';
import type { Lemmas } from '../group/lemmas/lemmas';
import { getText, type Storage } from '../storage/storage';
import { lemmaKey, lemmasPrefix } from './keys';

/** The lemmas of a model in storage, as one warm verifier sees them. */
export interface LemmaStore {
  /** Before the first mini-batch of a label: proves what is stored for it anew, the most general ones, and hands them over. */
  load(label: number, lemmas: Lemmas): Promise<void>;
  /** Stores what was proven since. */
  save(lemmas: Lemmas): Promise<void>;
}

/** Stored lemmas that are read per label: those made of most members. And how many are stored before no more are. */
const readPerLabel = 16;
const storedPerLabel = 64;

/** Lists the stored lemmas of the model once; those of a label are read when they are first asked for. */
export async function openLemmaStore(storage: Storage, modelHash: string): Promise<LemmaStore> {
  const prefix = lemmasPrefix(modelHash, engineVersion);
  const source = { modelHash, engine: engineVersion };
  const keys = (await storage.list(prefix)).map(({ key }) => key);
  const loaded = new Set<number>();
  const ofLabel = (label: number): string[] => keys.filter((key) => key.startsWith(`${prefix}${label}/`));
  return {
    async load(label, lemmas) {
      if (loaded.has(label)) return;
      loaded.add(label);
      // Keys begin with the number of members, so the last are the most general.
      const found: Lemma[] = [];
      for (const key of ofLabel(label).reverse().slice(0, readPerLabel)) {
        const lemma = await read(storage, key, source);
        if (lemma?.label === label) found.push(lemma);
      }
      await lemmas.admit(found);
    },
    async save(lemmas) {
      for (const lemma of lemmas.takeNew()) {
        if (ofLabel(lemma.label).length >= storedPerLabel) continue;
        const { text, sha256 } = encodeLemma(lemma, source);
        const key = lemmaKey(prefix, lemma.label, lemma.members, sha256);
        if (await storage.putIfAbsent(key, text)) keys.push(key);
      }
    },
  };
}

/** Nothing for a lemma that is damaged, or of something else: it would only have saved work. */
async function read(
  storage: Storage,
  key: string,
  source: { readonly modelHash: string; readonly engine: string },
): Promise<Lemma | undefined> {
  try {
    return decodeLemma(await getText(storage, key), key, source);
  } catch (error) {
    if (error instanceof BadInputError) return undefined;
    throw error;
  }
}
