import { createHash } from 'node:crypto';
import { z } from 'zod';
import { BadInputError } from '../../errors';
import type { LayerBox, Lemma } from './lemma';

/** What a stored lemma must be about to be read: a network, and the arithmetic that proved it. */
export interface LemmaSource {
  /** SHA-256 of the ONNX file, hex. */
  readonly modelHash: string;
  /** Version of engine and arithmetic. */
  readonly engine: string;
}

const lemmaSchema = z.strictObject({
  modelHash: z.string(),
  engine: z.string(),
  label: z.int().nonnegative(),
  /** Node of the normal form. */
  relu: z.int().nonnegative(),
  /** Values of the layer. */
  size: z.int().positive(),
  /** Neurons that may be active, ascending; all others are 0 in the box. */
  neurons: z.array(z.int().nonnegative()),
  /** Bounds of their values, float32. */
  lower: z.array(z.number().nonnegative()),
  upper: z.array(z.number().nonnegative()),
  margin: z.number().positive(),
  members: z.int().positive(),
});

const storedSchema = z.strictObject({
  version: z.literal(1),
  /** SHA-256 of the lemma as it is written here, hex. */
  sha256: z.string(),
  lemma: lemmaSchema,
});

/** The lemma as text, and its hash, which names it: the same lemma is always the same object. */
export function encodeLemma(
  { label, relu, box, margin, members }: Lemma,
  source: LemmaSource,
): { readonly text: string; readonly sha256: string } {
  const neurons = [...box.upper.keys()].filter((j) => box.upper[j] !== 0);
  const values = (side: Float32Array) => neurons.map((j) => side[j]);
  const size = box.upper.length;
  const bounds = { neurons, lower: values(box.lower), upper: values(box.upper) };
  const lemma = { ...source, label, relu, size, ...bounds, margin, members };
  const sha256 = hashOf(lemma);
  return { text: `${JSON.stringify({ version: 1, sha256, lemma })}\n`, sha256 };
}

/**
 * Reads a stored lemma. What it says is still to be proven (`Lemmas.admit`): its hash tells damage from what was written, not a lie from
 * the truth.
 *
 * @throws BadInputError with everything that is wrong with it: damage, another network or engine, a box that is none
 */
export function decodeLemma(text: string, subject: string, source: LemmaSource): Lemma {
  const { sha256, lemma } = parseStored(text, subject);
  const { label, relu, size, neurons, lower, upper, margin, members } = lemma;
  const problems: string[] = [];
  if (hashOf(lemma) !== sha256) problems.push('its content differs from its hash');
  if (lemma.modelHash !== source.modelHash) problems.push(`it is about the model ${lemma.modelHash}`);
  if (lemma.engine !== source.engine) problems.push(`it is of the engine ${lemma.engine}`);
  if (lower.length !== neurons.length || upper.length !== neurons.length)
    problems.push('it has not two bounds a neuron');
  if (neurons.some((j, i) => j >= size || (i > 0 && j <= neurons[i - 1]))) {
    problems.push(`its neurons are not ascending numbers below ${size}`);
  }
  if ([...lower, ...upper].some((value) => Math.fround(value) !== value)) problems.push('a bound is no float32');
  if (lower.some((value, i) => !(value <= upper[i]))) problems.push('a lower bound is above its upper bound');
  if (problems.length > 0) throw new BadInputError(subject, problems);
  return { label, relu, box: boxOf(size, neurons, lower, upper), margin, members };
}

function parseStored(text: string, subject: string): z.infer<typeof storedSchema> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new BadInputError(subject, ['it is not JSON'], { cause: error });
  }
  const parsed = storedSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const { issues } = parsed.error;
  throw new BadInputError(
    subject,
    issues.map(({ path, message }) => `${path.join('.') || 'top level'}: ${message}`),
  );
}

function boxOf(size: number, neurons: readonly number[], lower: readonly number[], upper: readonly number[]): LayerBox {
  const box = { lower: new Float32Array(size), upper: new Float32Array(size) };
  for (const [i, j] of neurons.entries()) {
    box.lower[j] = lower[i];
    box.upper[j] = upper[i];
  }
  return box;
}

/** Of the fields in the order of the schema, which is the order they are written in. */
function hashOf(lemma: z.infer<typeof lemmaSchema>): string {
  const fields = Object.keys(lemmaSchema.shape).map((name) => lemma[name as keyof typeof lemma]);
  return createHash('sha256').update(JSON.stringify(fields)).digest('hex');
}
