import { createPool } from '../../../lib/workflow/pool/pool';

/** Prints the process id of a child of its pool, and then stays until it is killed. */
const [, , entry] = process.argv;
const pool = createPool({ entry, size: 1, timeoutFor: () => 60 });
pool.invoke('whoAmI', null).then(({ payload }) => console.log((payload as { pid: number }).pid));
