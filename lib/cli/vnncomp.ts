import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { gunzipped } from '../dataset/gunzip';
import { BadInputError, messageOf } from '../errors';
import { createEngine } from '../group/engine';
import { settleProperties } from '../group/property';
import { readNetwork } from '../network/read';
import { type Narrate, narratedStep } from '../observe/narrate';
import { Problems } from '../problems';
import { comparesOrderOnly } from '../region/violation';
import { readVnnlib } from '../region/vnnlib';
import { formatNoun, formatSeconds } from '../report/format';
import { type ExitCode, exitCodes } from './exit';
import { readUserFile, unwritable } from './files';
import type { Host } from './host';
import { nonNegativeInteger, positiveNumber } from './options';
import { addVerbose, narrator, type VerboseOptions } from './verbose';

interface VnncompOptions extends VerboseOptions {
  readonly timeout: number;
  readonly result?: string;
  readonly seed: number;
}

export function addVnncomp(program: Command, host: Host, done: (code: ExitCode) => void): void {
  const command = program
    .command('vnncomp')
    .description(
      'Answer one VNN-COMP instance: unsat, sat (with a witness), unknown or timeout; exit codes: 0 answered, with whichever of them, 2 bad input',
    )
    .argument('<net>', 'the network, ONNX (.gz)')
    .argument('<property>', 'the property, VNN-LIB (.gz)')
    .requiredOption('--timeout <seconds>', 'required: time budget', positiveNumber)
    .option('--result <file>', 'write the answer there instead of to standard output')
    .option('--seed <n>', 'seed of everything random', nonNegativeInteger, 0);
  addVerbose(command, 'what was read, bounds, attack and search with their times, the answer').action(
    async (net: string, property: string, options: VnncompOptions) => {
      const answer = await answerTo(net, property, options, narrator(host, options));
      if (options.result === undefined) host.stdout.write(answer);
      else writeResult(options.result, answer);
      done(exitCodes.done);
    },
  );
}

/** The answer in VNN-COMP's format. */
async function answerTo(
  net: string,
  property: string,
  options: VnncompOptions,
  narrate: Narrate | undefined,
): Promise<string> {
  const deadline = Date.now() + options.timeout * 1000;
  const begun = Date.now();
  const { model, properties } = readInstance(net, property, options.result);
  narrate?.(`${formatNoun(properties.length, 'region')} to settle, within ${formatSeconds(options.timeout)}`);
  const engine = await createEngine(model, `network ${net}`);
  try {
    const { network } = engine;
    narrate?.(`network of ${network.inputSize} inputs and ${network.classes} outputs`);
    const step = narrate && narratedStep(narrate);
    const answer = await settleProperties(engine, properties, { deadline, seed: options.seed, ...(step && { step }) });
    narrate?.(`${answer.kind} after ${formatSeconds((Date.now() - begun) / 1000)}`);
    if (answer.kind !== 'sat') return `${answer.kind}\n`;
    const scores = await engine.original.scores(answer.witness, 1);
    return `sat\n${formatWitness(answer.witness, scores)}\n`;
  } finally {
    await engine.release();
  }
}

/** Reads and checks all that was given; BadInputError with the problems of network, property, their fit and the result file. */
function readInstance(net: string, property: string, result: string | undefined) {
  const problems = new Problems();
  const model = problems.of(() => gunzipped(readUserFile(net, 'network').bytes, `network ${net}`));
  const read = model && problems.of(() => readNetwork(model, `network ${net}`));
  const properties = problems.of(() => readVnnlib(readUserFile(property, 'property').bytes, property));
  const first = properties?.[0];
  const network = read?.network;
  if (first && network) {
    const inputs = first.box.lower.length;
    const outputs = first.violation.flat()[0]?.coefficients.length ?? network.classes;
    if (inputs !== network.inputSize || outputs !== network.classes) {
      problems.add(
        `property ${property}: is about ${inputs} inputs and ${outputs} outputs, ${net} has ${network.inputSize} and ` +
          `${network.classes}: is it a property of this network?`,
      );
    }
  }
  if (read?.keepsOrderOnly && properties?.some(({ violation }) => !comparesOrderOnly(violation))) {
    problems.add(
      `property ${property}: compares outputs otherwise than one with another, but the final Softmax of ${net} is left out, which ` +
        'keeps nothing but their order: export the network without it and state the property of its scores',
    );
  }
  const refused = result === undefined ? undefined : unwritable(result);
  if (refused !== undefined) problems.add(`result ${result}: ${refused}`);
  problems.check('the instance cannot be read');
  return { model: model!, properties: properties! };
}

/** VNN-COMP's format: every input, then every output that the model gives for it. */
function formatWitness(inputs: Float32Array, outputs: Float32Array): string {
  const pairs = [
    ...Array.from(inputs, (value, i) => `(X_${i} ${value})`),
    ...Array.from(outputs, (value, i) => `(Y_${i} ${value})`),
  ];
  return `(${pairs.join('\n')})`;
}

function writeResult(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new BadInputError(`result ${file}`, [`cannot be written: ${messageOf(error)}`], { cause: error });
  }
}
