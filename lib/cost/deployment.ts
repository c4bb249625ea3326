/** Memory of the deployed functions in MB, which Lambda charges for; 1,769 MB come with one processor. */
export const memoryMb = { plan: 3008, verify: 1769, coordinate: 1769, report: 1769 } as const;
