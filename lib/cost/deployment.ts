/** Memory of the deployed functions in MB, which Lambda charges for (cdk/constructs/functions.ts deploys them with it); `refine` verifies long rounds; 1,769 MB come with one processor. */
export const memoryMb = { plan: 3008, verify: 1769, refine: 3008, coordinate: 1769, report: 3008 } as const;

/** Data sets of more inputs are planned in chunks of so many, each a Standard child and a call of plan (lib/pipeline/plan-scan.ts). */
export const planningChunks = { from: 20_000, chunkInputs: 5_000 } as const;
