import { narratedStep, narratingPool } from '../../lib/observe/narrate';
import { StatesError } from '../../lib/workflow/interpreter/errors';

const batch = {
  ...{ run: 'r', round: 1, id: '1-0', kind: 'suspect', epsilon: 1, label: 3, inputs: '', size: 1, arm: 1 },
  ...{ attempt: 2, seconds: 9 },
};
const run = { id: 'r', bucket: 'b' };
const round = { number: 2, planKey: 'p', batches: 4, maxConcurrency: 2, long: false, done: false };

/** What is told of a call that ends so, two seconds after it began. */
async function told(name: string, payload: unknown, end: unknown, only?: string): Promise<string[]> {
  const lines: string[] = [];
  let time = 0;
  const clock = () => 2000 * time++;
  const pool = {
    async invoke() {
      if (end instanceof Error) throw end;
      return { payload: end, cpuSeconds: 1.5 };
    },
  };
  const calling = narratingPool(pool, (line) => lines.push(line), only, clock).invoke(name, payload);
  if (end instanceof Error) await expect(calling).rejects.toBe(end);
  else expect(await calling).toEqual({ payload: end, cpuSeconds: 1.5 });
  return lines;
}

const times = '2 s, 1.5 s of CPU';
test.each([
  ['plan', { event: { run: 'r' } }, { run, round }, `run r: plan: round 2 of 4 mini-batches is planned; ${times}`],
  [
    'plan',
    { event: { run: 'r' } },
    { run, round: { ...round, scan: true } },
    `run r: plan: the data set is looked at in 4 parts; ${times}`,
  ],
  ['plan', { bucket: 'b', chunk: { run: 'r', chunk: 3 } }, {}, `run r: part 3 of the data set: done; ${times}`],
  [
    'verify',
    { bucket: 'b', batch },
    { id: '1-0', robust: 0, notRobust: 0, open: 1 },
    `run r: mini-batch 1-0 (suspect, attempt 2; 1 ball of label 3 at radius 2): 0 robust, 0 not robust, 1 open; ${times}`,
  ],
  [
    'coordinate',
    { run, round },
    { run, round: { ...round, done: true } },
    `run r: coordinate: nothing is left to verify; ${times}`,
  ],
  ['report', { run }, { status: 'done' }, `run r: report: the report says done; ${times}`],
])('a call of %s is one line, for people', async (name, payload, end, line) => {
  expect(await told(name, payload, end)).toEqual([line]);
  expect(await told(name, payload, end, 'r')).toEqual([line.replace('run r: ', '')]);
});

test('a call that fails says why in its line, with all problems', async () => {
  const cause = JSON.stringify({ errorMessage: 'x', subject: 'model m', problems: ['first', 'second'] });
  expect(await told('plan', { event: { run: 'r' } }, new StatesError('BadInputError', cause))).toEqual([
    'run r: plan: BadInputError: model m: first; model m: second; 2 s',
  ]);
  expect(await told('verify', { batch }, new RangeError('too wide'), 'r')).toEqual([
    'mini-batch 1-0 (suspect, attempt 2; 1 ball of label 3 at radius 2): RangeError: too wide; 2 s',
  ]);
});

test('a step is told when it ends, however it does', async () => {
  const lines: string[] = [];
  let time = 0;
  const step = narratedStep(
    (line) => lines.push(line),
    () => 500 * time++,
  );
  expect(await step('bounds', async () => 7)).toBe(7);
  await expect(step('search', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(lines).toEqual(['bounds: 0.5 s', 'search: 0.5 s']);
});
