import * as ort from 'onnxruntime-node';
import { isConvCall } from './step-conv';
import type { StepCall, Tensors } from './steps';

/** Rows and columns by name of matrices, tables and outputs. */
type Sizes = ReadonlyMap<string, readonly [rows: number, columns: number]>;

/** How calls of several problems share one: the most rows of one, the most of all, the most problems, the most numbers in the matrices of one. */
const limits = { rows: 48, together: 160, places: 16, numbers: 1 << 19 };
/** Share of the padded products that must be the calls' own. */
const worthwhile = 0.6;

/** Calls of several problems, made as one (step-graph.ts, batched): each has a place of its own, padded with zeros. */
export interface Bundle {
  /** The calls that are in it, by place. */
  readonly calls: readonly (StepCall | undefined)[];
  /** Takes a call in, where a place is free that fits it. */
  admit(call: StepCall): boolean;
  /** Frees the places of all other calls. */
  keep(calls: ReadonlySet<StepCall>): void;
  /** A step of all calls in it. */
  run(isLast: (call: StepCall) => boolean): Promise<void>;
}

/** Whether a call is small enough to gain from company: large ones fill the products by themselves, and so do those with a convolution. */
export function isSmall({ rows, matrices }: StepCall): boolean {
  return rows <= limits.rows && numbersOf(matrices) <= limits.numbers && !isConvCall(matrices);
}

/** What the products of a call cost: numbers of its matrices times rows, with a few more for reading the matrices. */
export function workOf({ rows, matrices }: StepCall): number {
  return numbersOf(matrices) * (rows + 4);
}

function numbersOf(matrices: Tensors): number {
  let sum = 0;
  for (const { size } of Object.values(matrices)) sum += size;
  return sum;
}

/** Puts small calls of one program together; those that no other resembles stay alone. */
export function bundlesOf(
  session: ort.InferenceSession,
  calls: readonly StepCall[],
): { bundles: Bundle[]; alone: StepCall[] } {
  const bundles: Bundle[] = [];
  const alone: StepCall[] = [];
  let group: StepCall[] = [];
  let sizes: Sizes = new Map();
  let own = 0;
  const close = (): void => {
    if (group.length > 1) bundles.push(createBundle(session, sizes, group));
    else alone.push(...group);
    group = [];
    sizes = new Map();
    own = 0;
  };
  for (const call of [...calls].sort((a, b) => workOf(b) - workOf(a))) {
    const next = union(sizes, sizesOf(call));
    const places = group.length + 1;
    const isFull = places > limits.places || places * next.get('bound')![0] > limits.together;
    if (group.length > 0 && (isFull || own + workOf(call) < worthwhile * places * workIn(next))) close();
    sizes = union(sizes, sizesOf(call));
    own += workOf(call);
    group.push(call);
  }
  close();
  return { bundles, alone };
}

function sizesOf({ matrices, tables, into }: StepCall): Sizes {
  const all = [...Object.entries(matrices), ...Object.entries(tables), ...Object.entries(into)];
  return new Map(all.map(([name, { dims }]) => [name, [dims[0], dims[1]] as const]));
}

function union(a: Sizes, b: Sizes): Sizes {
  const both = new Map(a);
  for (const [name, [rows, columns]] of b) {
    const [most, widest] = both.get(name) ?? [0, 0];
    both.set(name, [Math.max(rows, most), Math.max(columns, widest)]);
  }
  return both;
}

const isMatrix = (name: string): boolean => /^[wbe]\d/.test(name);

function workIn(sizes: Sizes): number {
  let numbers = 0;
  for (const [name, [rows, columns]] of sizes) if (isMatrix(name)) numbers += rows * columns;
  return numbers * (sizes.get('bound')![0] + 4);
}

/** A tensor of a bundle: [places, rows, columns]. */
interface Slab {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float32Array;
  readonly tensor: ort.Tensor;
}

function createBundle(session: ort.InferenceSession, sizes: Sizes, first: readonly StepCall[]): Bundle {
  const places = first.length;
  const calls: (StepCall | undefined)[] = Array.from(first, () => undefined);
  /** By place, the problem whose matrices are in it, also after its call has gone. */
  const problems: (Tensors | undefined)[] = Array.from(first, () => undefined);
  const slab = (rows: number, columns: number): Slab => {
    const values = new Float32Array(places * rows * columns);
    return { rows, columns, values, tensor: new ort.Tensor('float32', values, [places, rows, columns]) };
  };
  const slabs = new Map([...sizes].map(([name, [rows, columns]]) => [name, slab(rows, columns)]));
  const transposed = new Map(
    [...sizes].flatMap(([name, [rows, columns]]) =>
      /^[wb]\d/.test(name) ? [[name, slab(columns, rows)] as const] : [],
    ),
  );
  const feeds: { [name: string]: ort.Tensor } = {};
  const outputs: { [name: string]: ort.Tensor } = {};
  for (const [name, { tensor }] of slabs) (name in first[0].into ? outputs : feeds)[name] = tensor;
  for (const [name, { tensor }] of transposed) feeds[`t${name}`] = tensor;

  const load = (place: number, call: StepCall): void => {
    if (problems[place] !== call.matrices) {
      problems[place] = call.matrices;
      for (const [name, tensor] of Object.entries(call.matrices)) {
        fill(slabs.get(name)!, place, tensor);
        const other = transposed.get(name);
        if (other) fillTransposed(other, place, tensor);
      }
    }
    for (const [name, tensor] of Object.entries(call.tables)) fill(slabs.get(name)!, place, tensor);
    calls[place] = call;
  };
  const fits = (call: StepCall): boolean => {
    for (const [name, [rows, columns]] of sizesOf(call)) {
      const own = slabs.get(name);
      if (own === undefined || own.rows < rows || own.columns < columns) return false;
    }
    return workOf(call) >= worthwhile * workIn(sizes);
  };
  for (const [place, call] of first.entries()) load(place, call);
  return {
    calls,
    admit(call) {
      const free = calls.flatMap((other, place) => (other === undefined ? [place] : []));
      if (free.length === 0 || !fits(call)) return false;
      load(free.find((place) => problems[place] === call.matrices) ?? free[0], call);
      return true;
    },
    keep(some) {
      for (const [place, call] of calls.entries()) if (call && !some.has(call)) calls[place] = undefined;
    },
    async run(isLast) {
      for (const [place, call] of calls.entries()) {
        if (call === undefined) continue;
        for (const [name, tensor] of Object.entries(call.tables))
          if (changes(name)) fill(slabs.get(name)!, place, tensor);
      }
      await session.run(feeds, outputs);
      for (const [place, call] of calls.entries()) {
        if (call === undefined) continue;
        for (const [name, tensor] of Object.entries(call.into))
          if (name !== 'corner' || isLast(call)) take(slabs.get(name)!, place, tensor);
      }
    },
  };
}

/** Slopes below and multipliers are what the steps change. */
const changes = (name: string): boolean => name[0] === 'a' || name[0] === 'm';

const numbers = (tensor: ort.Tensor): Float32Array => tensor.data as Float32Array;

/** Copies a tensor into a place, with zeros around it: they add exact zeros to every sum that they enter. */
function fill({ rows, columns, values }: Slab, place: number, tensor: ort.Tensor): void {
  const [ownRows, ownColumns] = tensor.dims;
  const from = numbers(tensor);
  const start = place * rows * columns;
  if (ownColumns === columns) {
    values.set(from, start);
    values.fill(0, start + ownRows * columns, start + rows * columns);
    return;
  }
  for (let r = 0; r < ownRows; r++) {
    const at = start + r * columns;
    values.set(from.subarray(r * ownColumns, (r + 1) * ownColumns), at);
    values.fill(0, at + ownColumns, at + columns);
  }
  values.fill(0, start + ownRows * columns, start + rows * columns);
}

function fillTransposed({ rows, columns, values }: Slab, place: number, tensor: ort.Tensor): void {
  const [ownRows, ownColumns] = tensor.dims;
  const from = numbers(tensor);
  const start = place * rows * columns;
  values.fill(0, start, start + rows * columns);
  for (let r = 0; r < ownRows; r++)
    for (let c = 0; c < ownColumns; c++) values[start + c * columns + r] = from[r * ownColumns + c];
}

function take({ rows, columns, values }: Slab, place: number, tensor: ort.Tensor): void {
  const [ownRows, ownColumns] = tensor.dims;
  const into = numbers(tensor);
  const start = place * rows * columns;
  for (let r = 0; r < ownRows; r++) {
    const at = start + r * columns;
    into.set(values.subarray(at, at + ownColumns), r * ownColumns);
  }
}
