import { BadInputError } from '../errors';
import { Problems } from '../problems';
import { assemble } from './assemble';
import { looksLikeCifar, parseCifar } from './cifar';
import { parseCsv, splitLabelColumn } from './csv';
import { type DataFormat, type DataSet, dataFormats, type NamedBytes, type Tensor } from './dataset';
import { gunzipped } from './gunzip';
import { looksLikeIdx, parseIdx } from './idx';
import { looksLikeNpy, parseNpy } from './npy';
import { looksLikeZip, parseNpz } from './npz';

export interface DataFiles {
  readonly data: NamedBytes;
  /** Needed where the data file carries no labels (idx, npy); any array format, or a csv of one column. */
  readonly labels?: NamedBytes | undefined;
  /** Of the data file; guessed from its content and name when absent. */
  readonly format?: DataFormat | undefined;
}

/** The format of an unpacked file, by its magic and else by its name; undefined when neither tells. */
export function guessFormat({ name, bytes }: NamedBytes): DataFormat | undefined {
  if (looksLikeZip(bytes)) return 'npz';
  if (looksLikeNpy(bytes)) return 'npy';
  if (/\.(csv|txt)(\.gz)?$/i.test(name)) return 'csv';
  if (looksLikeIdx(bytes)) return 'idx';
  if (/\.bin(\.gz)?$/i.test(name) && looksLikeCifar(bytes)) return 'cifar';
  if (/[.-]idx\d?/i.test(name)) return 'idx';
  return undefined;
}

/**
 * The data set that the files hold; gzipped files are unpacked. Throws BadInputError with the problems of both files:
 * damaged or of the wrong format, counts that differ, labels that are missing or not whole numbers, NaN values.
 */
export function parseDataSet(files: DataFiles): { readonly dataset: DataSet; readonly format: DataFormat } {
  const problems = new Problems();
  const content = problems.of(() => readContent(files));
  const given = files.labels;
  const labelsFile = given === undefined ? undefined : problems.of(() => readLabels(given));
  if (content !== undefined && given !== undefined && content.labels !== undefined) {
    problems.add(`${files.data.name}: has labels of its own, so leave out ${given.name}`);
  }
  if (content !== undefined && given === undefined && content.labels === undefined) {
    problems.add(`${files.data.name}: ${content.format} data carry no labels: give the labels file too (--labels)`);
  }
  const labels = content?.labels ?? labelsFile;
  if (content !== undefined && labels !== undefined) {
    const result = assemble(content.inputs, labels);
    if ('dataset' in result && problems.isEmpty) return { dataset: result.dataset, format: content.format };
    if ('problems' in result) problems.add(...result.problems);
  }
  throw problems.error(`data set ${files.data.name}`);
}

interface Content {
  readonly format: DataFormat;
  readonly inputs: Tensor;
  readonly labels: Tensor | undefined;
}

function readContent({ data, format: given }: DataFiles): Content {
  const { name } = data;
  const bytes = gunzipped(data.bytes, name);
  const format = given ?? guessFormat({ name, bytes });
  switch (format) {
    case 'idx':
      return { format, inputs: parseIdx(bytes, name), labels: undefined };
    case 'npy':
      return { format, inputs: parseNpy(bytes, name), labels: undefined };
    case 'npz':
      return { format, ...parseNpz(bytes, name) };
    case 'csv':
      return { format, ...splitLabelColumn(parseCsv(bytes, name), name) };
    case 'cifar': {
      const { count, shape, values, labels } = parseCifar(bytes, name);
      const labelValues = Float64Array.from(labels);
      return { format, inputs: { shape: [count, ...shape], values }, labels: { shape: [count], values: labelValues } };
    }
    case undefined:
      throw new BadInputError(name, [`its format is not recognised: give one of ${dataFormats.join(', ')}`]);
  }
}

function readLabels(file: NamedBytes): Tensor {
  const { name } = file;
  const bytes = gunzipped(file.bytes, name);
  const format = guessFormat({ name, bytes });
  if (format === 'idx') return parseIdx(bytes, name);
  if (format === 'npy') return parseNpy(bytes, name);
  if (format === 'csv') return parseCsv(bytes, name);
  throw new BadInputError(name, ['labels are read from idx, npy and csv files of one class number per input']);
}
