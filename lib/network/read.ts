import { BadInputError } from '../errors';
import { Attributes } from './attributes';
import { readConstant } from './constants';
import { Emitter } from './emitter';
import type { Network, NetworkNode } from './network';
import { operators } from './operators/index';
import { describeNode, type ParsedModel, parseModel } from './parse';
import type { NodeProto } from './protobuf';
import { simplify } from './simplify';
import { elements, formatShape, RefusedNode, type Tensor } from './values';

/** A model as read from its file. */
export interface ModelFile {
  readonly network: Network;
  /** The batch size that the file fixes (1 for a model without batch dimension); undefined when it is free. */
  readonly batch: number | undefined;
  readonly inputName: string;
  readonly outputName: string;
  /** Whether a final Softmax or LogSoftmax was left out: then only comparisons of two scores mean the same as in the file. */
  readonly keepsOrderOnly: boolean;
  /** Version of the default ONNX operator set. */
  readonly opset: number;
}

/**
 * Reads an ONNX file (operator sets 8 to 22, float32) into the normal form: the function that the model computes for a
 * batch of one, without the batch dimension. A final Softmax or LogSoftmax over the classes is left out: it keeps
 * the order of the scores, so margins have the same sign before and after it.
 *
 * @throws BadInputError when the file cannot be used, with every node that is not supported (name, operator, opset).
 */
export function readNetwork(bytes: Uint8Array, subject = 'model'): ModelFile {
  const model = parseModel(bytes, subject);
  const network = simplify(convert(model, subject));
  const { batch, inputName, outputName, opset } = model;
  const last = model.nodes.find(({ output }) => output?.[0] === outputName);
  const keepsOrderOnly = last?.opType === 'Softmax' || last?.opType === 'LogSoftmax';
  return { network, batch, inputName, outputName, keepsOrderOnly, opset };
}

/** The network node by node as the operators' rules give it, before simplification. */
export function convert(model: ParsedModel, subject: string): Network {
  const nodes: NetworkNode[] = [];
  const input = new Emitter(nodes, model.inputName).input(model.inputShape);
  const scope = new Scope(model);
  scope.define(model.inputName, input);
  for (const node of model.nodes) scope.run(node, nodes);
  const output = scope.result();
  const problems = [...scope.problems];
  if (output && problems.length === 0) problems.push(...outputProblems(output, model));
  if (problems.length > 0 || output?.kind !== 'variable') throw new BadInputError(subject, problems);
  const [, ...withoutBatch] = model.inputShape;
  return {
    nodes,
    output: output.node,
    inputShape: model.batched ? withoutBatch : model.inputShape,
    inputSize: elements(model.inputShape),
    classes: elements(output.shape),
  };
}

function outputProblems(output: Tensor, { outputName }: ParsedModel): string[] {
  if (output.kind === 'constant') return [`output ${outputName} does not depend on the input`];
  const classes = elements(output.shape);
  if (classes >= 2 && output.shape.filter((size) => size !== 1).length === 1) return [];
  return [
    `output ${outputName} has shape ${formatShape(output.shape)} for one input; one vector of two or more class scores is expected`,
  ];
}

/** The tensors known so far while the nodes are read in order, and what went wrong on the way. */
class Scope {
  readonly problems: string[] = [];
  private readonly tensors = new Map<string, Tensor>();
  private readonly failed = new Set<string>();

  constructor(private readonly model: ParsedModel) {}

  define(name: string, tensor: Tensor): void {
    this.tensors.set(name, tensor);
  }

  private lookUp(name: string): Tensor {
    const known = this.tensors.get(name);
    if (known) return known;
    const stored = this.model.initializers.get(name);
    if (!stored) throw new RefusedNode(`needs tensor ${name}, which no earlier node computes`);
    const tensor = readConstant(stored);
    this.define(name, tensor);
    return tensor;
  }

  /** Reads one node; after a problem its outputs count as failed, and nodes that need them are passed over. */
  run(node: NodeProto, nodes: NetworkNode[]): void {
    const names = node.output ?? [];
    try {
      if (node.input?.some((name) => this.failed.has(name))) {
        for (const name of names) this.failed.add(name);
        return;
      }
      const results = this.apply(node, nodes);
      names.forEach((name, i) => {
        if (results[i]) this.define(name, results[i]);
      });
    } catch (error) {
      // What a rule asks for beyond any array is of the file's making, too.
      if (!(error instanceof RefusedNode || error instanceof RangeError)) throw error;
      for (const name of names) this.failed.add(name);
      this.problems.push(`${describeNode(node, this.model.opset)}: ${error.message}`);
    }
  }

  /** The output's tensor; undefined, with a problem noted, where no node computes it. */
  result(): Tensor | undefined {
    const { outputName } = this.model;
    if (this.problems.length > 0) return undefined;
    try {
      return this.lookUp(outputName);
    } catch (error) {
      if (!(error instanceof RefusedNode)) throw error;
      this.problems.push(`output ${outputName}: ${error.message}`);
      return undefined;
    }
  }

  private apply(node: NodeProto, nodes: NetworkNode[]): readonly Tensor[] {
    const { opset, batch, outputName } = this.model;
    const operator = node.opType ?? '';
    const rule = operators.get(operator);
    if (!rule) throw new RefusedNode('is not supported');
    const result = rule({
      operator,
      opset,
      inputs: (node.input ?? []).map((name) => (name ? this.lookUp(name) : undefined)),
      outputs: node.output?.length ?? 0,
      attributes: new Attributes(node.attribute ?? []),
      emit: new Emitter(nodes, node.output?.[0] ?? ''),
      fileBatch: batch === 1 ? undefined : batch,
      isLast: node.output?.[0] === outputName,
    });
    return 'kind' in result ? [result] : result;
  }
}
