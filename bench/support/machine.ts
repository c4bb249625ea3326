import { availableParallelism, cpus, totalmem } from 'node:os';
import * as ort from 'onnxruntime-node';
import { version as onnxruntimeVersion } from 'onnxruntime-node/package.json';
import { DataType, encodeModel } from '../../lib/network/protobuf';
import { floatTensor, tensorInfo } from '../../lib/network/tensor';
import { cpuClock, median } from './measure';

/** Where and when a result was measured. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly platform: string;
  readonly node: string;
  readonly onnxruntime: string;
  /** ISO 8601, UTC. */
  readonly date: string;
  /** ONNX Runtime's float32 MatMul on one thread just before, GFLOP per CPU-second: compare figures of two machines, or of two days, by it. */
  readonly matMulGflops: number;
}

export async function describeMachine(): Promise<Machine> {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    platform: `${process.platform}-${process.arch}`,
    node: process.version,
    onnxruntime: onnxruntimeVersion,
    date: new Date().toISOString(),
    matMulGflops: await calibrate(),
  };
}

/** `2 cores of AMD EPYC, 23 GiB, ...; calibration: ...` */
export function machineText(machine: Machine): string {
  const { cpu, cores, memoryGiB, node, onnxruntime, date, matMulGflops } = machine;
  return (
    `${cores} cores of ${cpu}, ${memoryGiB} GiB; Node ${node}, ONNX Runtime ${onnxruntime}; ${date.slice(0, 10)}; ` +
    `calibration: float32 MatMul ${matMulGflops} GFLOP/s on one thread`
  );
}

const sides = { rows: 256, inner: 1024, columns: 1024 };
const repetitions = 15;

/** Median over products of [256, 1024] by [1024, 1024], the sizes of a backward pass. */
async function calibrate(): Promise<number> {
  const { rows, inner, columns } = sides;
  const values = (length: number): Float32Array => Float32Array.from({ length }, (_, i) => ((i * 7919) % 211) / 211);
  const model = encodeModel({
    irVersion: 8,
    opsetImport: [{ domain: '', version: 17 }],
    graph: {
      name: 'calibration',
      node: [{ opType: 'MatMul', input: ['a', 'b'], output: ['c'] }],
      initializer: [floatTensor('b', [inner, columns], values(inner * columns))],
      input: [tensorInfo('a', [rows, inner], DataType.float)],
      output: [tensorInfo('c', [rows, columns], DataType.float)],
    },
  });
  const session = await ort.InferenceSession.create(model, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  const a = new ort.Tensor('float32', values(rows * inner), [rows, inner]);
  const seconds: number[] = [];
  for (let i = 0; i < repetitions + 1; i++) {
    const clock = cpuClock();
    await session.run({ a });
    if (i > 0) seconds.push(clock());
  }
  await session.release();
  return Math.round((2 * rows * inner * columns) / median(seconds) / 1e9);
}
