import { BadInputError, messageOf } from '../errors';
import { modelSizeProblem, networkLimits } from './limits';
import type { Shape } from './network';
import { operators } from './operators/index';
import {
  DataType,
  type DimensionProto,
  dataTypeName,
  decodeModel,
  type GraphProto,
  type ModelProto,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from './protobuf';
import { elements } from './values';

/** Versions of the default operator set whose rules are read. */
export const supportedOpsets = { from: 8, to: 22 } as const;

/** What the file declares, checked as far as that goes without looking into the nodes. */
export interface ParsedModel {
  readonly opset: number;
  readonly inputName: string;
  readonly outputName: string;
  /** The input's shape for a batch of one; the same as declared where the model has no batch dimension. */
  readonly inputShape: Shape;
  /** Whether the first axis of `inputShape` is the batch. */
  readonly batched: boolean;
  /** The batch size that the file fixes (1 where there is no batch dimension); undefined when it is free. */
  readonly batch: number | undefined;
  /** The nodes that the output depends on, in the order of the file. */
  readonly nodes: readonly NodeProto[];
  readonly initializers: ReadonlyMap<string, TensorProto>;
}

/** Decodes a model file and checks its operators and its frame: one float32 input, one output, a known operator set. */
export function parseModel(bytes: Uint8Array, subject: string): ParsedModel {
  const { graph, opset } = openModel(bytes, subject);
  const initializers = new Map((graph.initializer ?? []).map((tensor) => [tensor.name ?? '', tensor]));
  const outputs = graph.output ?? [];
  const nodes = liveNodes(
    graph.node ?? [],
    outputs.map(({ name }) => name ?? ''),
  );
  const problems = unknownOperators(nodes, opset);
  if (graph.sparseInitializer?.length) problems.push('holds sparse initializers; save the weights densely');
  if (opset < supportedOpsets.from || opset > supportedOpsets.to) {
    problems.push(
      `uses operator set ${opset}; sets ${supportedOpsets.from} to ${supportedOpsets.to} are read, ` +
        'convert it with onnx.version_converter or export it again',
    );
  }
  const inputs = (graph.input ?? []).filter(({ name }) => !initializers.has(name ?? ''));
  problems.push(...frameProblems('input', inputs), ...frameProblems('output', outputs));
  const [input] = inputs;
  const [output] = outputs;
  const layout = inputs.length === 1 ? inputLayout(input, output, problems) : undefined;
  if (problems.length > 0 || !layout) throw new BadInputError(subject, problems);
  return { opset, inputName: input.name ?? '', outputName: output.name ?? '', ...layout, nodes, initializers };
}

function openModel(bytes: Uint8Array, subject: string): { graph: GraphProto; opset: number } {
  const tooLarge = modelSizeProblem(bytes.length);
  if (tooLarge !== undefined) throw new BadInputError(subject, [tooLarge]);
  let model: ModelProto;
  try {
    model = decodeModel(bytes);
  } catch (error) {
    throw new BadInputError(
      subject,
      [`is not an ONNX file, or is cut short (${bytes.length} bytes: ${messageOf(error)}); copy or export it again`],
      { cause: error },
    );
  }
  const opset = model.opsetImport?.find(({ domain }) => !domain || domain === 'ai.onnx')?.version;
  if (!model.graph || opset === undefined) {
    const missing = model.graph ? 'version of the ONNX operator set' : 'graph';
    throw new BadInputError(subject, [`is not an ONNX file, or is cut short (it has no ${missing})`]);
  }
  return { graph: model.graph, opset };
}

function frameProblems(role: 'input' | 'output', tensors: readonly ValueInfoProto[]): string[] {
  if (tensors.length !== 1) {
    const names = tensors.map(({ name }) => name).join(', ') || 'none';
    const wanted = role === 'input' ? 'the image' : 'the class scores';
    return [`has ${tensors.length} ${role}s (${names}); exactly one, ${wanted}, is expected`];
  }
  const [{ name, type }] = tensors;
  const elemType = type?.tensorType?.elemType;
  // An output may leave out its type; the nodes then decide.
  if (elemType === DataType.float || (role === 'output' && !elemType)) return [];
  return [`${role} ${name} has element type ${dataTypeName(elemType)}; export the model as float (float32)`];
}

const isFixed = (dim: DimensionProto): boolean => (dim.dimValue ?? 0) > 0;

/** The input's shape and batch; what is wrong with it is added to `problems`. */
function inputLayout(
  input: ValueInfoProto,
  output: ValueInfoProto | undefined,
  problems: string[],
): Pick<ParsedModel, 'inputShape' | 'batched' | 'batch'> | undefined {
  const dims = input.type?.tensorType?.shape?.dim ?? [];
  const batchIsFree = dims.length > 1 && !isFixed(dims[0]);
  const free = dims.flatMap((dim, axis) => (isFixed(dim) || (axis === 0 && batchIsFree) ? [] : [axis]));
  if (dims.length === 0 || free.length > 0) {
    const text = dims.map((dim) => (isFixed(dim) ? dim.dimValue : dim.dimParam || '?')).join(', ');
    problems.push(
      `input ${input.name} has shape [${text}]; every dimension but the first (batch) must be a fixed number`,
    );
    return undefined;
  }
  const sizes = dims.map(({ dimValue }) => dimValue ?? 0);
  const values = sizes.slice(batchIsFree ? 1 : 0).reduce((product, size) => product * size, 1);
  if (values > networkLimits.inputValues) {
    problems.push(
      `input ${input.name} has ${values} values; at most ${networkLimits.inputValues} are possible: give smaller images`,
    );
    return undefined;
  }
  if (batchIsFree) return { inputShape: [1, ...sizes.slice(1)], batched: true, batch: undefined };
  const batched = sizes.length > 1 && (sizes[0] === 1 || sharesBatch(sizes[0], output));
  if (elements(sizes) === 0) problems.push(`input ${input.name} is empty`);
  return batched
    ? { inputShape: [1, ...sizes.slice(1)], batched, batch: sizes[0] }
    : { inputShape: sizes, batched, batch: 1 };
}

/** Whether a fixed first input dimension is a batch: the output then has it too (or does not say its shape). */
function sharesBatch(size: number, output: ValueInfoProto | undefined): boolean {
  const dims = output?.type?.tensorType?.shape?.dim;
  return !dims || (dims.length > 1 && (!isFixed(dims[0]) || dims[0].dimValue === size));
}

/** The nodes that the outputs depend on; the rest of the file plays no part. */
function liveNodes(nodes: readonly NodeProto[], outputs: readonly string[]): NodeProto[] {
  const wanted = new Set(outputs);
  const live = [...nodes].reverse().filter((node) => {
    const isLive = (node.output ?? []).some((name) => wanted.has(name));
    if (isLive) for (const name of node.input ?? []) wanted.add(name);
    return isLive;
  });
  return live.reverse();
}

/** What a message calls a node: name, operator and operator set. */
export function describeNode(node: NodeProto, opset: number): string {
  const name = node.name ? `node ${node.name}` : `the node that computes ${node.output?.[0]}`;
  return `${name} (${node.domain ? `${node.domain}.` : ''}${node.opType}, opset ${opset})`;
}

function unknownOperators(nodes: readonly NodeProto[], opset: number): string[] {
  return nodes
    .filter(({ opType, domain }) => !operators.has(opType ?? '') || (domain && domain !== 'ai.onnx'))
    .map((node) => `${describeNode(node, opset)} is not supported`);
}
