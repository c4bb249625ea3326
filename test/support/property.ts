import * as ort from 'onnxruntime-node';

/** A VNN-LIB property: some other class scores at least as much as `label` somewhere in the box, whose bounds are given as text. */
export function vnnlib(
  bounds: readonly (readonly [low: string, high: string])[],
  label: number,
  classes: number,
): string {
  const others = Array.from({ length: classes }, (_, k) => k).filter((k) => k !== label);
  return [
    ...bounds.map((_, i) => `(declare-const X_${i} Real)`),
    ...Array.from({ length: classes }, (_, k) => `(declare-const Y_${k} Real)`),
    ...bounds.map(([low, high], i) => `(assert (>= X_${i} ${low}))\n(assert (<= X_${i} ${high}))`),
    `(assert (or ${others.map((k) => `(and (>= Y_${k} Y_${label}))`).join(' ')}))`,
  ].join('\n');
}

/** The witness in an answer of `baverly vnncomp`: `sat`, then every X_i and Y_i in order. Fails on any other form. */
export function witnessOf(answer: string): { readonly inputs: number[]; readonly outputs: number[] } {
  expect(answer).toMatch(/^sat\n\((\([XY]_\d+ [-+.\de]+\)\n)*\([XY]_\d+ [-+.\de]+\)\)\n$/);
  const values = { X: [] as number[], Y: [] as number[] };
  for (const [, kind, index, value] of answer.matchAll(/\(([XY])_(\d+) ([^)]*)\)/g)) {
    const known = values[kind as 'X' | 'Y'];
    expect(Number(index)).toBe(known.length);
    known.push(Number(value));
  }
  return { inputs: values.X, outputs: values.Y };
}

/** What ONNX Runtime gives for one input. */
export async function scoresBy(model: Uint8Array, inputs: readonly number[]): Promise<number[]> {
  const session = await ort.InferenceSession.create(model, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  try {
    const [metadata] = session.inputMetadata;
    const shape = metadata.isTensor
      ? metadata.shape.map((size) => (typeof size === 'number' && size > 0 ? size : 1))
      : [];
    const tensor = new ort.Tensor('float32', Float32Array.from(inputs), shape);
    const result = await session.run({ [session.inputNames[0]]: tensor });
    return [...(result[session.outputNames[0]].data as Float32Array)];
  } finally {
    await session.release();
  }
}
