import { serveHandlers } from '../../../lib/workflow/pool/child';

const run = { id: 'r1', bucket: 'data' };
const round = { number: 0, planKey: 'plan.jsonl', batches: 3, maxConcurrency: 10, long: false, done: false };

/** The four functions over a plan of three mini-batches, of which one kills its process. */
serveHandlers({
  plan: async () => ({ run, round }),
  verify: async (event) => {
    const { batch } = event as { batch: { id: string } };
    if (batch.id === '0-1') process.kill(process.pid, 'SIGKILL');
    return { id: batch.id };
  },
  coordinate: async () => ({ run, round: { ...round, done: true } }),
  report: async () => ({ reportKey: 'report.json', counts: {}, status: 'done' }),
});
