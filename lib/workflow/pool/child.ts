import { failureOf } from './failure';
import type { Invocation, Reply } from './protocol';

export type Handler = (event: unknown) => Promise<unknown>;

/**
 * Makes this process a local Lambda: the entry of a pool's children calls it once with its functions by name. The
 * process ends when its parent is gone, and leaves Ctrl-C, which a terminal sends to both, to the parent.
 */
export function serveHandlers(handlers: Readonly<Record<string, Handler>>): void {
  const send = process.send?.bind(process);
  if (send === undefined) throw new Error('serveHandlers must run in a process started by createPool');
  process.on('SIGINT', () => {});
  process.on('disconnect', () => process.exit(0));
  process.on('message', async (invocation: Invocation) => {
    const before = process.cpuUsage();
    const reply = await call(handlers, invocation);
    const { user, system } = process.cpuUsage(before);
    send({ ...reply, cpuSeconds: (user + system) / 1e6 } satisfies Reply);
  });
}

type Outcome = { kind: 'result'; payload: unknown } | { kind: 'error'; error: string; cause: string };

async function call(handlers: Readonly<Record<string, Handler>>, invocation: Invocation): Promise<Outcome> {
  try {
    const handler = handlers[invocation.functionName];
    if (handler === undefined) throw new RangeError(`there is no function ${invocation.functionName}`);
    return { kind: 'result', payload: (await handler(invocation.payload)) ?? null };
  } catch (thrown) {
    return { kind: 'error', ...failureOf(thrown) };
  }
}
