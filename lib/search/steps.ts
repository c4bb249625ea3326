import * as ort from 'onnxruntime-node';
import { type Blocks, inputBlock } from './blocks';
import { emitStep, type StepShape } from './step-graph';

/** The compiled step of the optimised bound for functionals of one layer (step-graph.ts). */
export interface StepProgram {
  /** Writes the outputs into the tensors that are given, which is cheaper than new ones at every step. */
  run(feeds: { readonly [name: string]: ort.Tensor }, into: { readonly [name: string]: ort.Tensor }): Promise<void>;
}

/** The step programs of a network, each compiled at its first use and kept until `release`. */
export interface StepPrograms {
  /** For functionals of layer `end`; `isFolded`: for problems whose layers read the input and every layer before (fold.ts). */
  get(end: number, isFolded?: boolean): Promise<StepProgram>;
  release(): Promise<void>;
}

export function stepPrograms(blocks: Blocks): StepPrograms {
  const sessions = new Map<string, Promise<ort.InferenceSession>>();
  const everyLayer: StepShape = {
    relus: blocks.relus,
    layers: blocks.layers.map((_, k) => ({ from: [inputBlock, ...Array.from({ length: k }, (_, s) => s)] })),
  };
  const compiled = (end: number, isFolded: boolean): Promise<ort.InferenceSession> => {
    const key = `${end} ${isFolded}`;
    let session = sessions.get(key);
    if (session === undefined) {
      session = ort.InferenceSession.create(emitStep(isFolded ? everyLayer : blocks, end), {
        intraOpNumThreads: 1,
        interOpNumThreads: 1,
        executionMode: 'sequential',
        logSeverityLevel: 3,
      });
      sessions.set(key, session);
    }
    return session;
  };
  return {
    async get(end, isFolded = false) {
      const session = await compiled(end, isFolded);
      return {
        async run(feeds, into) {
          await session.run(feeds, into);
        },
      };
    },
    async release() {
      const all = [...sessions.values()];
      sessions.clear();
      for (const session of all) await (await session).release();
    },
  };
}
