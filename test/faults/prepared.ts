import { writeSimulated } from '../../bench/support/simulated-run';
import { memoryStorage } from '../support/memory-storage';
import { type Verdicts, verdictsOf } from './aftermath';
import { run, simulated, storm } from './storm';

/** A simulated run before it starts, and its verdicts where nothing goes wrong. */
export interface Prepared {
  readonly content: readonly (readonly [string, Uint8Array])[];
  readonly truth: Verdicts;
}

export async function prepare(inputs: number): Promise<Prepared> {
  const storage = memoryStorage();
  await writeSimulated(storage, run.id, inputs);
  const objects = await storage.list('');
  const content = await Promise.all(objects.map(async ({ key }) => [key, await storage.get(key)] as const));
  await storm({ storage, handlers: simulated, seed: 0, disturbed: 'nothing' });
  return { content, truth: await verdictsOf(storage, run.id) };
}
