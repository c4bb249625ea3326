import * as ort from 'onnxruntime-node';
import type { Blocks } from './blocks';
import { emitStep } from './step-graph';

/** The compiled step of the optimised bound for functionals of one layer (step-graph.ts). */
export interface StepProgram {
  /** Writes the outputs into the tensors that are given, which is cheaper than new ones at every step. */
  run(feeds: { readonly [name: string]: ort.Tensor }, into: { readonly [name: string]: ort.Tensor }): Promise<void>;
}

/** The step programs of a network, each compiled at its first use and kept until `release`. */
export interface StepPrograms {
  /** For functionals of layer `end`. */
  get(end: number): Promise<StepProgram>;
  release(): Promise<void>;
}

export function stepPrograms(blocks: Blocks): StepPrograms {
  const sessions = new Map<number, Promise<ort.InferenceSession>>();
  const compiled = (end: number): Promise<ort.InferenceSession> => {
    let session = sessions.get(end);
    if (session === undefined) {
      session = ort.InferenceSession.create(emitStep(blocks, end), {
        intraOpNumThreads: 1,
        interOpNumThreads: 1,
        executionMode: 'sequential',
        logSeverityLevel: 3,
      });
      sessions.set(end, session);
    }
    return session;
  };
  return {
    async get(end) {
      const session = await compiled(end);
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
