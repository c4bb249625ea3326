import { BadInputError } from '../../../lib/errors';
import { serveHandlers } from '../../../lib/workflow/pool/child';

let calls = 0;

/** Functions that behave and misbehave, for the tests of the pool. */
serveHandlers({
  echo: async (event) => event,
  nothing: async () => undefined,
  whoAmI: async () => ({ pid: process.pid, calls: ++calls, colour: process.env.COLOUR, execArgv: process.execArgv }),
  spin: async (seconds) => {
    const end = Date.now() + Number(seconds) * 1000;
    while (Date.now() < end);
    return 'spun';
  },
  work: async (cpuSeconds) => {
    const before = process.cpuUsage();
    while (process.cpuUsage(before).user < Number(cpuSeconds) * 1e6);
  },
  wait: async (milliseconds) => new Promise((resolve) => setTimeout(() => resolve(process.pid), Number(milliseconds))),
  throwError: async () => {
    throw Object.assign(new RangeError('too big'), { code: 'E_BIG' });
  },
  throwText: async () => {
    throw 'just text';
  },
  badInput: async (count) => {
    const problems = Array.from({ length: Number(count) }, (_, i) => `problem ${i}: ${'x'.repeat(100)}`);
    throw new BadInputError('model m.onnx', problems);
  },
  exit: async (code) => {
    process.stderr.write('last words\n');
    process.exit(Number(code));
  },
  kill: async () => process.kill(process.pid, 'SIGKILL'),
  rejectLater: async () => {
    void Promise.reject(new Error('nobody listens'));
    return new Promise(() => {});
  },
  fillMemory: async () => {
    const kept: string[][] = [];
    for (;;) kept.push(Array.from({ length: 100_000 }, (_, i) => `${kept.length} ${i}`));
  },
  print: async (text) => console.log(text),
});
