/** Memory of the deployed functions in MB, which Lambda charges for (cdk/constructs/functions.ts deploys them with it); `refine` verifies long rounds; 1,769 MB come with one processor. */
export const memoryMb = { plan: 3008, verify: 1769, refine: 3008, coordinate: 1769, report: 1769 } as const;
