import { messageOf } from '../../errors';
import type { MapState } from './definition';
import { StatesError } from './errors';
import { evaluateAs, isString } from './expressions';
import { bindingsOf, type Visit } from './frame';

/** How a child of a Distributed Map ended, in the fields of Step Functions' result files. Input and Output are JSON text. */
export interface ChildRecord {
  readonly ExecutionArn: string;
  readonly Name: string;
  readonly Input: string;
  readonly Status: 'PENDING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';
  readonly Output?: string;
  readonly Error?: string;
  readonly Cause?: string;
  readonly StartDate?: string;
  readonly StopDate?: string;
}

/**
 * Writes `<prefix>/<map run>/{manifest.json, SUCCEEDED_0, FAILED_0, PENDING_0}` and returns the state's result. COMPACT
 * keeps only the output of a child that succeeded; one that failed is written whole whatever the transformation says
 * (developer guide, "ResultWriter"). Throws `States.ResultWriterFailed`.
 */
export async function writeResults(
  state: MapState,
  visit: Visit,
  mapRunArn: string,
  records: readonly ChildRecord[],
): Promise<unknown> {
  const { Arguments, WriterConfig } = state.ResultWriter!; // check.ts requires it
  const read = (template: string, field: string) =>
    evaluateAs(template, bindingsOf(visit), `${visit.name}/ResultWriter/Arguments/${field}`, isString, 'a string');
  const bucket = await read(Arguments.Bucket, 'Bucket');
  const prefix = (await read(Arguments.Prefix, 'Prefix')).replace(/\/$/, '');
  const folder = `${prefix === '' ? '' : `${prefix}/`}${mapRunArn.split(':').at(-1)}`;
  const extension = WriterConfig.OutputType === 'JSONL' ? 'jsonl' : 'json';
  const compact = WriterConfig.Transformation === 'COMPACT';
  try {
    const storage = visit.frame.engine.services.storage(bucket);
    const write = async (kind: 'SUCCEEDED' | 'FAILED' | 'PENDING') => {
      const lines = records
        .filter(({ Status }) => kind === fileOf(Status))
        .map((record) => (compact && record.Output !== undefined ? record.Output : JSON.stringify(record)));
      if (lines.length === 0) return [];
      const Key = `${folder}/${kind}_0.${extension}`;
      const body = extension === 'jsonl' ? lines.map((line) => `${line}\n`).join('') : `[${lines.join(',')}]`;
      await storage.put(Key, body);
      return [{ Key, Size: Buffer.byteLength(body) }];
    };
    const ResultFiles = {
      FAILED: await write('FAILED'),
      PENDING: await write('PENDING'),
      SUCCEEDED: await write('SUCCEEDED'),
    };
    const Key = `${folder}/manifest.json`;
    await storage.put(Key, JSON.stringify({ DestinationBucket: bucket, MapRunArn: mapRunArn, ResultFiles }));
    return { MapRunArn: mapRunArn, ResultWriterDetails: { Bucket: bucket, Key } };
  } catch (error) {
    throw new StatesError('States.ResultWriterFailed', `${folder} in ${bucket}: ${messageOf(error)}`);
  }
}

function fileOf(status: ChildRecord['Status']): 'SUCCEEDED' | 'FAILED' | 'PENDING' {
  return status === 'SUCCEEDED' || status === 'PENDING' ? status : 'FAILED';
}
