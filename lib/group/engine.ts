import type { Bounder, BoundOptions } from '../bounds/bounder';
import { createBounder, defaultMemoryBytes } from '../bounds/bounder';
import { modelHash } from '../network/hash';
import type { Network } from '../network/network';
import type { OriginalModel } from '../network/original';
import { loadModel } from '../network/original';
import { createSearcher, type Searcher } from '../search/searcher';
import { createJointBounds, type JointBounds, type JointOptions } from './joint';
import { createLemmas, type Lemmas } from './lemmas/lemmas';

/** A model ready for verification: its normal form with bounds, and the original that judges witnesses. */
export interface Engine {
  readonly network: Network;
  /** SHA-256 of the ONNX file, hex. */
  readonly hash: string;
  readonly bounder: Bounder;
  readonly original: OriginalModel;
  readonly searcher: Searcher;
  readonly lemmas: Lemmas;
  readonly joint: JointBounds;
  release(): Promise<void>;
}

export interface EngineOptions extends BoundOptions {
  readonly joint?: JointOptions;
}

/** Throws BadInputError with all problems of the model file. */
export async function createEngine(
  model: Uint8Array,
  subject: string,
  { joint: jointOptions, ...options }: EngineOptions = {},
): Promise<Engine> {
  const { file, original } = await loadModel(model, subject);
  const bounder = createBounder(file.network, options);
  const searcher = createSearcher(file.network, bounder, original, options.memoryBytes ?? defaultMemoryBytes);
  const lemmas = createLemmas(bounder, options);
  const joint = createJointBounds(bounder, jointOptions);
  return {
    searcher,
    lemmas,
    joint,
    network: file.network,
    hash: modelHash(model),
    bounder,
    original,
    async release() {
      await lemmas.release();
      await joint.release();
      await searcher.release();
      await bounder.release();
      await original.release();
    },
  };
}
