import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { gunzipped } from '../dataset/gunzip';
import { BadInputError, messageOf } from '../errors';
import { createEngine } from '../group/engine';
import { settleProperties } from '../group/property';
import { readVnnlib } from '../region/vnnlib';
import { type ExitCode, exitCodes } from './exit';
import { readUserFile } from './files';
import { nonNegativeInteger, positiveNumber } from './options';

interface VnncompOptions {
  readonly timeout: number;
  readonly result?: string;
  readonly seed: number;
}

export function addVnncomp(program: Command, done: (code: ExitCode) => void): void {
  program
    .command('vnncomp')
    .description('Answer one VNN-COMP instance: unsat, sat (with a witness), unknown or timeout')
    .argument('<net>', 'the network, ONNX (.gz)')
    .argument('<property>', 'the property, VNN-LIB (.gz)')
    .requiredOption('--timeout <seconds>', 'time budget', positiveNumber)
    .option('--result <file>', 'write the answer there instead of to standard output')
    .option('--seed <n>', 'seed of everything random', nonNegativeInteger, 0)
    .action(async (net: string, property: string, options: VnncompOptions) =>
      done(await vnncomp(net, property, options)),
    );
}

async function vnncomp(net: string, property: string, { timeout, result, seed }: VnncompOptions): Promise<ExitCode> {
  const deadline = Date.now() + timeout * 1000;
  const properties = readVnnlib(readUserFile(property, 'property').bytes, property);
  const model = readUserFile(net, 'network');
  const engine = await createEngine(gunzipped(model.bytes, net), `network ${net}`);
  try {
    const { inputSize, classes } = engine.network;
    const [{ box, violation }] = properties;
    const outputs = violation.flat()[0]?.coefficients.length ?? classes;
    if (box.lower.length !== inputSize || outputs !== classes) {
      throw new BadInputError(`property ${property}`, [
        `is about ${box.lower.length} inputs and ${outputs} outputs; ${net} has ${inputSize} and ${classes}`,
      ]);
    }
    const answer = await settleProperties(engine, properties, { deadline, seed });
    const lines: string[] = [answer.kind];
    if (answer.kind === 'sat') {
      const scores = await engine.original.scores(answer.witness, 1);
      lines.push(formatWitness(answer.witness, scores));
    }
    write(`${lines.join('\n')}\n`, result);
    return exitCodes.done;
  } finally {
    await engine.release();
  }
}

/** VNN-COMP's format: every input, then every output that the model gives for it. */
function formatWitness(inputs: Float32Array, outputs: Float32Array): string {
  const pairs = [
    ...Array.from(inputs, (value, i) => `(X_${i} ${value})`),
    ...Array.from(outputs, (value, i) => `(Y_${i} ${value})`),
  ];
  return `(${pairs.join('\n')})`;
}

function write(text: string, file: string | undefined): void {
  if (file === undefined) {
    process.stdout.write(text);
    return;
  }
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new BadInputError(`result ${file}`, [`cannot be written: ${messageOf(error)}`], { cause: error });
  }
}
