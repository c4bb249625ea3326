import * as ort from 'onnxruntime-node';

/** A compiled graph. Inputs and outputs are by name; only float32 outputs are used. */
export interface Session {
  /** @param into tensors of the right shape that outputs are written to, instead of new ones */
  run(
    feeds: { readonly [name: string]: ort.Tensor },
    into?: { readonly [name: string]: ort.Tensor },
  ): Promise<{ readonly [name: string]: Float32Array }>;
}

/** ONNX Runtime sessions of one network's programs, each compiled at its first use and kept until `release`. */
export interface SessionCache {
  get(key: string, emit: () => Uint8Array): Promise<Session>;
  release(): Promise<void>;
}

/** Told of every run of a program: its key, and milliseconds. For measurements. */
export type Observer = (key: string, milliseconds: number) => void;

/** @param threads intra-op threads of every session; 1 is what one Lambda vCPU or one local worker has */
export function sessionCache(threads: number, observe?: Observer): SessionCache {
  const sessions = new Map<string, Promise<{ session: Session; native: ort.InferenceSession }>>();
  return {
    async get(key, emit) {
      let entry = sessions.get(key);
      if (entry === undefined) {
        entry = compile(emit(), threads, observe && ((milliseconds) => observe(key, milliseconds)));
        sessions.set(key, entry);
      }
      return (await entry).session;
    },
    async release() {
      const all = [...sessions.values()];
      sessions.clear();
      for (const entry of all) await (await entry).native.release();
    },
  };
}

async function compile(
  bytes: Uint8Array,
  threads: number,
  observe?: (milliseconds: number) => void,
): Promise<{ session: Session; native: ort.InferenceSession }> {
  const native = await ort.InferenceSession.create(bytes, {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    logSeverityLevel: 3,
  });
  const session: Session = {
    async run(feeds, into) {
      const start = observe ? performance.now() : 0;
      const results = await (into ? native.run(feeds, into) : native.run(feeds));
      observe?.(performance.now() - start);
      const outputs: { [name: string]: Float32Array } = {};
      for (const name of native.outputNames) outputs[name] = results[name].data as Float32Array;
      return outputs;
    },
  };
  return { session, native };
}

/** [rows, columns]; the columns follow from the data where they are not given. */
export function floatTensor(data: Float32Array, rows: number, columns = data.length / rows): ort.Tensor {
  return new ort.Tensor('float32', data, [rows, columns]);
}

/** A float tensor of any shape. */
export function shapedTensor(data: Float32Array, shape: readonly number[]): ort.Tensor {
  return new ort.Tensor('float32', data, shape);
}

/** An int64 tensor, of one dimension unless told. */
export function indexTensor(values: Int32Array | Uint32Array, shape: readonly number[] = [values.length]): ort.Tensor {
  const wide = new BigInt64Array(values.length);
  // Little endian: the low word of each int64; indices are below 2^31.
  const words = new Int32Array(wide.buffer);
  for (let i = 0; i < values.length; i++) words[2 * i] = values[i];
  return new ort.Tensor('int64', wide, shape);
}
