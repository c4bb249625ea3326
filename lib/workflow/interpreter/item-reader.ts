import { messageOf } from '../../errors';
import { getText } from '../../storage/storage';
import type { MapState } from './definition';
import { StatesError } from './errors';
import { evaluateAs, isString } from './expressions';
import { bindingsOf, type Visit } from './frame';

/** The items of a Distributed Map, from one object: JSON Lines, or one JSON array. Throws `States.ItemReaderFailed`. */
export async function readItems(state: MapState, visit: Visit): Promise<unknown[]> {
  const reader = state.ItemReader!; // check.ts requires it
  const read = (template: string, field: string) =>
    evaluateAs(template, bindingsOf(visit), `${visit.name}/ItemReader/Arguments/${field}`, isString, 'a string');
  const bucket = await read(reader.Arguments.Bucket, 'Bucket');
  const key = await read(reader.Arguments.Key, 'Key');
  try {
    const text = await getText(visit.frame.engine.services.storage(bucket), key);
    return reader.ReaderConfig.InputType === 'JSONL' ? parseLines(text) : parseArray(text);
  } catch (error) {
    throw new StatesError('States.ItemReaderFailed', `${key} in ${bucket}: ${messageOf(error)}`);
  }
}

function parseLines(text: string): unknown[] {
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return [];
    try {
      return [JSON.parse(line)];
    } catch (error) {
      throw new SyntaxError(`line ${index + 1}: ${messageOf(error)}`);
    }
  });
}

function parseArray(text: string): unknown[] {
  const items: unknown = JSON.parse(text);
  if (!Array.isArray(items)) throw new TypeError('attempting to map over non-iterable node');
  return items;
}
