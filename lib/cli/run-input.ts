import path from 'node:path';
import { checkDataSet } from '../dataset/check';
import type { DataFormat, DataSet, Layout, Preprocessing } from '../dataset/dataset';
import { type Epsilon, parseEpsilons } from '../dataset/epsilon';
import { gunzipped } from '../dataset/gunzip';
import { parseDataSet } from '../dataset/open';
import { defaultPreprocessing, preprocessingSchema } from '../dataset/preprocess';
import { readNetwork } from '../network/read';
import { parseJson } from '../pipeline/records';
import type { Problems } from '../problems';
import { ballsProblem, limitTold, requestLimits } from '../schedule/request-limits';
import { readUserFile, siblingLabels } from './files';

/** The options that say what is verified. */
export interface InputOptions {
  readonly model?: string;
  readonly data?: string;
  readonly labels?: string;
  readonly format?: DataFormat;
  readonly epsilon?: string;
  readonly first?: number;
  readonly preprocessing?: string;
  readonly layout?: Layout;
  readonly scale?: number;
  readonly mean?: readonly number[];
  readonly std?: readonly number[];
  readonly clip?: readonly number[];
}

/** What a run verifies. */
export interface RunInput {
  /** The ONNX file, unpacked. */
  readonly model: Uint8Array;
  readonly dataset: DataSet;
  readonly preprocessing: Preprocessing;
  readonly epsilons: readonly Epsilon[];
}

/** Reads and checks model, data and radii, also against each other; undefined, with the problems of all of them noted, where it fails. */
export function readRunInput(options: InputOptions, problems: Problems): RunInput | undefined {
  const { model: modelFile, data, epsilon } = options;
  for (const name of ['model', 'data', 'epsilon'] as const) {
    if (options[name] === undefined) problems.add(`required option --${name} is missing`);
  }
  const model = modelFile === undefined ? undefined : problems.of(() => readModel(modelFile));
  const network = model && problems.of(() => readNetwork(model, `model ${modelFile}`).network);
  const dataset = data === undefined ? undefined : readData(data, options, problems);
  const stated = problems.of(() => statedPreprocessing(options));
  const preprocessing = stated && dataset && { ...defaultPreprocessing(dataset), ...stated };
  const clip = preprocessing?.clip ?? stated?.clip;
  const epsilons = epsilon === undefined ? undefined : problems.of(() => parseEpsilons(epsilon, clip));
  if (epsilons && epsilons.length > requestLimits.radii) {
    problems.add(`epsilon: ${epsilons.length} radii are given: ${limitTold.radii}`);
  } else if (dataset && epsilons) {
    const tooMany = ballsProblem(Math.min(options.first ?? dataset.count, dataset.count), epsilons.length);
    if (tooMany !== undefined) problems.add(tooMany);
  }
  if (network && dataset && preprocessing) {
    problems.add(...checkDataSet(dataset, preprocessing, network).map((problem) => `data set ${data}: ${problem}`));
  }
  return model && dataset && preprocessing && epsilons && { model, dataset, preprocessing, epsilons };
}

function readModel(file: string): Uint8Array {
  return gunzipped(readUserFile(file, 'model').bytes, `model ${file}`);
}

function readData(
  data: string,
  { labels = siblingLabels(data), format }: InputOptions,
  problems: Problems,
): DataSet | undefined {
  const inputs = problems.of(() => readUserFile(data, 'data'));
  const given = labels === undefined ? undefined : problems.of(() => readUserFile(labels, 'labels'));
  if (inputs === undefined || (labels !== undefined && given === undefined)) return undefined;
  return problems.of(() => parseDataSet({ data: inputs, labels: given, format }).dataset);
}

/** What the user says about preprocessing: the file, and single options before it. */
function statedPreprocessing(options: InputOptions): Partial<Preprocessing> {
  const { preprocessing: file, layout, scale, mean, std, clip } = options;
  const partial = preprocessingSchema.partial();
  const text = file === undefined ? '{}' : readText(file);
  const stated = parseJson(partial, text, `preprocessing ${file}`);
  const given = Object.entries({ layout, scale, mean, std, clip }).filter(([, value]) => value !== undefined);
  return { ...stated, ...parseJson(partial, JSON.stringify(Object.fromEntries(given)), 'preprocessing options') };
}

function readText(file: string): string {
  return new TextDecoder().decode(readUserFile(file, 'preprocessing').bytes);
}

/** The model's name in the run, without what storage keys do not take. */
export function modelName(file: string): string {
  const name = path
    .basename(file)
    .replace(/\.gz$/, '')
    .replace(/\.onnx$/, '');
  return name.replace(/[^\p{L}\p{N} ._-]/gu, '_').slice(0, 100) || 'model';
}
