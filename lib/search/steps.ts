import * as ort from 'onnxruntime-node';
import { type Blocks, inputBlock } from './blocks';
import type { Scratch } from './scratch';
import { isConvCall } from './step-conv';
import { emitStep, type StepShape } from './step-graph';

/** Named tensors of two dimensions. */
export type Tensors = { readonly [name: string]: ort.Tensor };

/** What the steps of some sub-problems of one problem read and write (step-graph.ts); the same object at each of their steps. */
export interface StepCall {
  /** The problem's own: blocks, biases, error weights. The same object for all calls of a problem. */
  readonly matrices: Tensors;
  /** [rows, ...] each: where the rows start, slopes, intercepts, multipliers. Only slopes below, a<k>, and multipliers, m<k>, change from step to step. */
  readonly tables: Tensors;
  /** [rows, ...] each: where the outputs go. */
  readonly into: Tensors;
  readonly rows: number;
}

/** The compiled step of the optimised bound for functionals of one layer (step-graph.ts). */
export interface StepProgram {
  /**
   * Makes a step: writes the outputs into the tensors that are given, which is cheaper than new ones.
   *
   * @param isLast whether the minimisers are wanted too; else they may be left as they were
   */
  run(call: StepCall, isLast: boolean): Promise<void>;
  /** What calls that follow each other use again, of one search (`withScratch`); without, each has arrays of its own. */
  readonly scratch?: Scratch;
}

/** The step programs of a network, each compiled at its first use and kept until `release`. */
export interface StepPrograms {
  /** For functionals of layer `end`; `isFolded`: for problems whose layers read the input and every layer before (fold.ts). */
  get(end: number, isFolded?: boolean): Promise<StepProgram>;
  /** The same for several problems at once, of tensors with a dimension G before the others. */
  batched(end: number, isFolded: boolean): Promise<ort.InferenceSession>;
  release(): Promise<void>;
}

export function stepPrograms(blocks: Blocks): StepPrograms {
  const sessions = new Map<string, Promise<ort.InferenceSession>>();
  const everyLayer: StepShape = {
    relus: blocks.relus,
    layers: blocks.layers.map((_, k) => ({ from: [inputBlock, ...Array.from({ length: k }, (_, s) => s)] })),
  };
  const { network, conv } = blocks;
  const kinds = {
    dense: {},
    batched: { batched: true },
    conv: conv === undefined ? {} : { conv: { network, node: conv } },
  };
  const compiled = (end: number, isFolded: boolean, kind: keyof typeof kinds): Promise<ort.InferenceSession> => {
    const key = `${end} ${isFolded} ${kind}`;
    let session = sessions.get(key);
    if (session === undefined) {
      session = ort.InferenceSession.create(emitStep(isFolded ? everyLayer : blocks, { end, ...kinds[kind] }), {
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
      return {
        async run({ matrices, tables, into }, isLast) {
          const session = await compiled(end, isFolded, isConvCall(matrices) ? 'conv' : 'dense');
          // ONNX Runtime copies what it is asked for once more, into arrays that the garbage collector then sees to.
          const { corner: _, ...others } = into;
          await session.run({ ...matrices, ...tables }, isLast ? into : others);
        },
      };
    },
    batched: (end, isFolded) => compiled(end, isFolded, 'batched'),
    async release() {
      const all = [...sessions.values()];
      sessions.clear();
      for (const session of all) await (await session).release();
    },
  };
}

/**
 * The programs with arrays that their calls use again. Only for calls that wait for each other: of two at the same time one would read the other's
 * slopes and bounds.
 */
export function withScratch(steps: Pick<StepPrograms, 'get'>, scratch: Scratch): Pick<StepPrograms, 'get'> {
  return { get: async (end, isFolded) => ({ ...(await steps.get(end, isFolded)), scratch }) };
}
