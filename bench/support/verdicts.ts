import { parse } from 'csv-parse/sync';
import { z } from 'zod';
import { readBenchmark } from './data';

const rowSchema = z.object({
  benchmark: z.enum(['mnist_fc', 'oval21']),
  network: z.string(),
  property: z.string(),
  verdict: z.enum(['sat', 'unsat']),
});

/** One instance of VNN-COMP 2022 with the verdict that its tools agreed on. */
export interface KnownInstance extends z.infer<typeof rowSchema> {
  /** Benchmark data file of the network. */
  readonly networkFile: string;
  /** Benchmark data file of the property. */
  readonly propertyFile: string;
}

export function knownInstances(benchmark: KnownInstance['benchmark']): KnownInstance[] {
  const rows: unknown = parse(Buffer.from(readBenchmark('vnnlib/verdicts.csv').bytes), { columns: true });
  return z
    .array(rowSchema)
    .parse(rows)
    .filter((row) => row.benchmark === benchmark)
    .map((row) => ({
      ...row,
      networkFile: `nets/${row.network}`,
      propertyFile: `vnnlib/${benchmark}/${row.property}.gz`,
    }));
}
