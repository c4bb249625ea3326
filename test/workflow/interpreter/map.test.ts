import { getJson, getText, type Storage } from '../../../lib/storage/storage';
import { bucketWith } from '../support/bucket';
import { fakeClock } from '../support/fake-clock';
import { distributed, fakeServices, lambdaTask, run, throwStates } from '../support/run';

const lines = (count: number) => Array.from({ length: count }, (_, i) => `{"i":${i}}\n`).join('');
const pass = { P: { Type: 'Pass', Output: '{% $states.input.i %}', End: true } };
const failBelow = (n: number) => ({
  C: { Type: 'Choice', Choices: [{ Condition: `{% $states.input.i < ${n} %}`, Next: 'F' }], Default: 'S' },
  F: { Type: 'Fail', Error: 'Bad', Cause: 'small' },
  S: { Type: 'Succeed' },
});

type Manifest = { ResultFiles: Record<'SUCCEEDED' | 'FAILED' | 'PENDING', { Key: string; Size: number }[]> };

async function manifestOf(store: Storage): Promise<Manifest> {
  const listed = await store.list('out/');
  return (await getJson(store, listed.find(({ key }) => key.endsWith('/manifest.json'))!.key)) as Manifest;
}

async function parsed(store: Storage, files: { Key: string }[]): Promise<Record<string, unknown>[]> {
  const texts = await Promise.all(files.map(({ Key }) => getText(store, Key)));
  return texts.flatMap((text) => text.trimEnd().split('\n')).map((line) => JSON.parse(line));
}

describe('inline', () => {
  const inline = (states: Record<string, unknown>, rest: object = {}) => ({
    M: {
      Type: 'Map',
      Items: '{% $states.input.items %}',
      ItemProcessor: { ProcessorConfig: { Mode: 'INLINE' }, StartAt: Object.keys(states)[0], States: states },
      End: true,
      ...rest,
    },
  });

  test('results stand in the order of the items, whatever ends first', async () => {
    const f = (n: never) => new Promise((resolve) => setTimeout(() => resolve(n), 10 * n));
    const result = await run(inline({ A: lambdaTask('f') }), { items: [3, 1, 2] }, { services: fakeServices({ f }) });
    expect(result).toMatchObject({ output: [3, 1, 2] });
  });

  test('iterations have their own variables, over those outside', async () => {
    const { M } = inline({
      P: { Type: 'Pass', Assign: { mine: '{% $base + $states.input %}' }, Next: 'Q' },
      Q: { Type: 'Pass', Assign: { base: 0 }, Output: '{% [$mine, $states.context.Map.Item.Index] %}', End: true },
    });
    const states = {
      A: { Type: 'Pass', Assign: { base: 10 }, Next: 'M' },
      M: { ...M, End: undefined, Next: 'Z' },
      Z: { Type: 'Pass', Output: { base: '{% $base %}', pairs: '{% $states.input %}' }, End: true },
    };
    const output = {
      base: 10,
      pairs: [
        [11, 0],
        [12, 1],
      ],
    };
    expect(await run(states, { items: [1, 2] })).toMatchObject({ output });
  });

  test('one failure fails the Map, ends the others and can be caught', async () => {
    const aborted: number[] = [];
    const f = (n: never, { signal }: { signal: AbortSignal }) => {
      if (n === 0) throwStates('Bad');
      signal.addEventListener('abort', () => aborted.push(n));
      return new Promise(() => {});
    };
    const states = {
      ...inline({ A: lambdaTask('f') }, { Catch: [{ ErrorEquals: ['Bad'], Output: 'caught', Next: 'D' }] }),
      D: { Type: 'Pass', End: true },
    };
    expect(await run(states, { items: [1, 0, 2] }, { services: fakeServices({ f }) })).toMatchObject({
      output: 'caught',
    });
    expect(aborted).toEqual([1, 2]);
  });

  test('at most MaxConcurrency, maxParallel and 40 at the same time', async () => {
    for (const [MaxConcurrency, maxParallel, most] of [
      [2, 100, 2],
      [0, 3, 3],
      [0, 100, 40],
    ] as const) {
      let now = 0;
      let peak = 0;
      const f = async () => {
        peak = Math.max(peak, ++now);
        await new Promise((resolve) => setTimeout(resolve, 2));
        now--;
      };
      const states = inline({ A: lambdaTask('f') }, { MaxConcurrency });
      await run(states, { items: Array(80).fill(0) }, { services: fakeServices({ f }), maxParallel });
      expect(peak).toBe(most);
    }
  });
});

describe('distributed', () => {
  test('20,000 items', async () => {
    const store = await bucketWith({ 'items.jsonl': lines(20_000) });
    const result = await run({ M: distributed(pass) }, {}, { services: fakeServices({}, store), maxParallel: 16 });
    expect(result).toMatchObject({ status: 'SUCCEEDED', events: 8 });
    const { SUCCEEDED, FAILED, PENDING } = (await manifestOf(store)).ResultFiles;
    expect([FAILED, PENDING]).toEqual([[], []]);
    const written = await getText(store, SUCCEEDED[0].Key);
    expect(written).toBe(Array.from({ length: 20_000 }, (_, i) => `${i}\n`).join(''));
    expect(SUCCEEDED[0].Size).toBe(written.length);
  });

  test('the result says where the manifest is', async () => {
    const store = await bucketWith({ 'items.jsonl': lines(2) });
    const result = await run({ M: distributed(pass, { Label: 'L' }) }, {}, { services: fakeServices({}, store) });
    expect(result).toMatchObject({
      output: {
        MapRunArn: expect.stringMatching(/^arn:aws:states:local:000000000000:mapRun:test\/L:[0-9a-f-]{36}$/),
        ResultWriterDetails: { Bucket: 'b', Key: expect.stringMatching(/^out\/[0-9a-f-]{36}\/manifest\.json$/) },
      },
    });
  });

  test('ItemSelector makes the input of each child; children see no variables from outside', async () => {
    const store = await bucketWith({ 'items.jsonl': lines(2) });
    const selected: unknown[] = [];
    const services = fakeServices({ f: (payload: never) => void selected.push(payload) }, store);
    const ItemSelector = { x: '{% $x %}', item: '{% $states.context.Map.Item.Value.i %}' };
    await run(
      { A: { Type: 'Pass', Assign: { x: 7 }, Next: 'M' }, M: distributed({ A: lambdaTask('f') }, { ItemSelector }) },
      {},
      { services },
    );
    expect(selected).toEqual([
      { x: 7, item: 0 },
      { x: 7, item: 1 },
    ]);
  });

  test('tolerated failures are results: input, error and cause in the FAILED file', async () => {
    const store = await bucketWith({ 'items.jsonl': lines(10) });
    const onEvent = jest.fn();
    const states = { M: distributed(failBelow(2), { ToleratedFailurePercentage: 20 }) };
    expect(await run(states, {}, { services: fakeServices({}, store), onEvent })).toMatchObject({
      status: 'SUCCEEDED',
    });
    const { SUCCEEDED, FAILED } = (await manifestOf(store)).ResultFiles;
    expect(await parsed(store, SUCCEEDED)).toHaveLength(8);
    expect(await parsed(store, FAILED)).toMatchObject([
      { Input: '{"i":0}', Error: 'Bad', Cause: 'small', Status: 'FAILED', Name: expect.any(String) },
      { Input: '{"i":1}', Error: 'Bad', Cause: 'small', Status: 'FAILED', Name: expect.any(String) },
    ]);
    expect(onEvent).toHaveBeenCalledWith(
      expect.objectContaining({ kind: 'item', state: 'M', done: 10, failed: 2, total: 10 }),
    );
  });

  test('more failures than tolerated fail the Map, with what was not started as PENDING', async () => {
    const store = await bucketWith({ 'items.jsonl': lines(10) });
    const states = { M: distributed(failBelow(2), { ToleratedFailurePercentage: 19, MaxConcurrency: 1 }) };
    expect(await run(states, {}, { services: fakeServices({}, store) })).toMatchObject({
      status: 'FAILED',
      error: 'States.ExceedToleratedFailureThreshold',
    });
    const { SUCCEEDED, FAILED, PENDING } = (await manifestOf(store)).ResultFiles;
    expect(SUCCEEDED).toEqual([]);
    expect(await parsed(store, FAILED)).toHaveLength(2);
    expect(await parsed(store, PENDING)).toHaveLength(8);
  });

  test('an EXPRESS child ends after five minutes, a STANDARD child does not', async () => {
    for (const kind of ['EXPRESS', 'STANDARD'] as const) {
      const store = await bucketWith({ 'items.jsonl': lines(1) });
      const clock = fakeClock();
      const f = () => {
        clock.advance(300_000);
        return new Promise((resolve) => setImmediate(resolve));
      };
      const states = { M: distributed({ A: lambdaTask('f') }, { ToleratedFailurePercentage: 100 }, kind) };
      await run(states, {}, { services: fakeServices({ f }, store), clock });
      const { FAILED } = (await manifestOf(store)).ResultFiles;
      const records = await parsed(store, FAILED);
      expect(records).toMatchObject(kind === 'EXPRESS' ? [{ Error: 'States.Timeout', Status: 'TIMED_OUT' }] : []);
    }
  });

  test.each([
    ['JSONL', '{"i":0}\n{"i":', 'line 2'],
    ['JSON', '{"i":0}', 'non-iterable'],
    ['JSON', '[', 'JSON'],
  ])('%s that cannot be mapped over (%p) is States.ItemReaderFailed', async (InputType, text, why) => {
    const store = await bucketWith({ 'items.jsonl': text });
    const map = distributed(pass);
    const ItemReader = { ...(map.ItemReader as object), ReaderConfig: { InputType } };
    const result = await run({ M: { ...map, ItemReader } }, {}, { services: fakeServices({}, store) });
    expect(result).toMatchObject({ error: 'States.ItemReaderFailed', cause: expect.stringContaining(why) });
  });

  test('a missing object is States.ItemReaderFailed, and a JSON array is read', async () => {
    expect(await run({ M: distributed(pass) })).toMatchObject({ error: 'States.ItemReaderFailed' });
    const map = distributed(pass);
    const ItemReader = { ...(map.ItemReader as object), ReaderConfig: { InputType: 'JSON' } };
    const services = fakeServices({}, await bucketWith({ 'items.jsonl': '[{"i":5}]' }));
    expect(await run({ M: { ...map, ItemReader } }, {}, { services })).toMatchObject({ status: 'SUCCEEDED' });
  });

  test('results that cannot be written are States.ResultWriterFailed', async () => {
    const store = await bucketWith({ 'items.jsonl': lines(1) });
    const put = () => Promise.reject(new Error('full'));
    const services = { ...fakeServices(), storage: () => ({ ...store, put }) };
    expect(await run({ M: distributed(pass) }, {}, { services })).toMatchObject({
      error: 'States.ResultWriterFailed',
      cause: expect.stringContaining('full'),
    });
  });

  test('cancelled, no child is started any more and the Map is not caught', async () => {
    const cancel = new AbortController();
    let calls = 0;
    const f = () => {
      if (++calls === 3) cancel.abort(new Error('Ctrl-C'));
    };
    const services = fakeServices({ f }, await bucketWith({ 'items.jsonl': lines(100) }));
    const states = {
      M: distributed(
        { A: lambdaTask('f', { Output: 1, End: true }) },
        { ToleratedFailurePercentage: 100, MaxConcurrency: 1 },
      ),
    };
    expect(await run(states, {}, { services, signal: cancel.signal })).toMatchObject({ status: 'ABORTED' });
    expect(calls).toBe(3);
  });
});
