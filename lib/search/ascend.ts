import { wasm } from './ascend-wasm';
import { type LayerTables, unstable } from './tables';

/** Adam's decays of both moments, and what keeps its division from 0; as float32 has them. */
const keepFirst = Math.fround(0.9);
const gainFirst = Math.fround(0.1);
const keepSecond = Math.fround(0.99);
const gainSecond = Math.fround(0.01);
const floor = Math.fround(1e-8);

/**
 * Moves the slopes of unstable neurons by one step of Adam upwards, in float32, and keeps them within [0, 1]; slopes that are NaN stay so. Which slopes there are does not matter for soundness,
 * as long as they are in [0, 1]: bounds are made from those in the table.
 *
 * @param coefficients, values of the neurons at the last step's minimiser, [rows, size]
 * @param rate the step's length times the scale of the first moment
 */
export type AscendSlopes = (
  tables: Pick<LayerTables, 'alpha' | 'kind' | 'first' | 'second'>,
  coefficients: Float32Array,
  values: Float32Array,
  rate: number,
  secondScale: number,
) => void;

export const ascendPlainly: AscendSlopes = ({ alpha, kind, first, second }, coefficients, values, rate, scale) => {
  const { fround, sqrt } = Math;
  const [r, s] = [fround(rate), fround(scale)];
  for (let i = 0; i < alpha.length; i++) {
    if (kind[i] !== unstable) continue;
    const h = coefficients[i];
    const gradient = h > 0 ? fround(h * values[i]) : 0;
    const m = fround(fround(keepFirst * first[i]) + fround(gainFirst * gradient));
    const v = fround(fround(keepSecond * second[i]) + fround(gainSecond * fround(gradient * gradient)));
    first[i] = m;
    second[i] = v;
    const root = fround(fround(sqrt(fround(v * s))) + floor);
    alpha[i] = Math.min(Math.max(fround(alpha[i] + fround(fround(r * m) / root)), 0), 1);
  }
};

/** The function that ascend.wat exports. */
type Ascend = (
  slopes: number,
  end: number,
  kinds: number,
  first: number,
  second: number,
  coefficients: number,
  values: number,
  rate: number,
  secondScale: number,
  keepFirst: number,
  gainFirst: number,
  keepSecond: number,
  gainSecond: number,
  floor: number,
) => void;

let compiled: WebAssembly.Module | undefined;

/**
 * As `ascendPlainly`, the same to the last bit, in WebAssembly: a sixth of a search's time went there. With arrays elsewhere than in the memory it is done plainly.
 *
 * @param memory of scratch.ts, where what an array takes is a multiple of 64 bytes: up to three places behind the last one are read, and written
 */
export function ascenderIn(memory: WebAssembly.Memory): AscendSlopes {
  compiled ??= new WebAssembly.Module(Buffer.from(wasm, 'base64'));
  const { exports } = new WebAssembly.Instance(compiled, { scratch: { memory } });
  const ascend = exports.ascend as Ascend;
  return (tables, coefficients, values, rate, secondScale) => {
    const { alpha, kind, first, second } = tables;
    const { buffer } = memory;
    if (![alpha, kind, first, second, coefficients, values].every((array) => array.buffer === buffer))
      return ascendPlainly(tables, coefficients, values, rate, secondScale);
    ascend(
      alpha.byteOffset,
      alpha.byteOffset + alpha.byteLength,
      kind.byteOffset,
      first.byteOffset,
      second.byteOffset,
      coefficients.byteOffset,
      values.byteOffset,
      rate,
      secondScale,
      keepFirst,
      gainFirst,
      keepSecond,
      gainSecond,
      floor,
    );
  };
}

/** One step of Adam upwards, projected to slopes of [0, 1] and multipliers >= 0 (of either sign where cut). */
export function ascend(
  tables: LayerTables,
  coefficients: Float32Array,
  values: Float32Array,
  step: number,
  alphaRate: number,
  betaRate: number,
  ascendSlopes: AscendSlopes,
): void {
  // Both moments begin at 0.
  const firstScale = 1 / (1 - keepFirst ** step);
  const secondScale = 1 / (1 - keepSecond ** step);
  ascendSlopes(tables, coefficients, values, alphaRate * firstScale, secondScale);
  const rate = betaRate * firstScale;
  ascendSplits(tables, values, rate, secondScale);
  ascendCuts(tables, values, rate, secondScale);
}

function ascendSplits(
  { multiplier, kind, splits, first, second }: LayerTables,
  values: Float32Array,
  rate: number,
  secondScale: number,
): void {
  for (let n = 0; n < splits.length; n++) {
    const i = splits[n];
    const what = kind[i];
    const gradient = -what * values[i];
    const m = keepFirst * first[i] + gainFirst * gradient;
    const v = keepSecond * second[i] + gainSecond * gradient * gradient;
    first[i] = m;
    second[i] = v;
    const next = -what * multiplier[i] + (rate * m) / (Math.sqrt(v * secondScale) + floor);
    multiplier[i] = next > 0 ? -what * next : 0;
  }
}

function ascendCuts({ multiplier, cuts }: LayerTables, values: Float32Array, rate: number, secondScale: number): void {
  for (const cut of cuts) {
    const { at, lower, upper } = cut;
    const m = multiplier[at];
    const z = values[at];
    const gradient = m < 0 || (m === 0 && z < lower) ? z - lower : m > 0 || z > upper ? z - upper : 0;
    cut.first = keepFirst * cut.first + gainFirst * gradient;
    cut.second = keepSecond * cut.second + gainSecond * gradient * gradient;
    const move = (rate * cut.first) / (Math.sqrt(cut.second * secondScale) + floor);
    // Not across 0, where the constraint changes.
    multiplier[at] = m < 0 ? Math.min(0, m + move) : m > 0 ? Math.max(0, m + move) : move;
  }
}
