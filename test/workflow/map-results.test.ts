import { readMapFailures } from '../../lib/workflow/map-results';
import { bucketWith } from './support/bucket';

const map = { MapRunArn: 'arn', ResultWriterDetails: { Bucket: 'b', Key: 'out/manifest.json' } };
const record = (id: string, rest: object) => ({ Input: JSON.stringify({ bucket: 'b', batch: { id } }), ...rest });
const failed = [
  record('0-1', { Status: 'FAILED', Error: 'Lambda.Unknown', Cause: 'killed' }),
  { Status: 'FAILED', Error: 'a child that does not tell its mini-batch' },
  record('0-2', { Status: 'TIMED_OUT', StartDate: '2026-11-20T02:00:00.500Z', StopDate: '2026-11-20T02:04:50Z' }),
];

async function failures(text: string) {
  const files = {
    FAILED: [{ Key: 'out/F', Size: 1 }],
    PENDING: [{ Key: 'out/P', Size: 1 }],
    SUCCEEDED: [{ Key: 'out/S' }],
  };
  const storage = await bucketWith({
    'out/manifest.json': JSON.stringify({ DestinationBucket: 'b', MapRunArn: 'arn', ResultFiles: files }),
    'out/F': text,
    'out/P': `${JSON.stringify(record('0-3', { Status: 'PENDING' }))}\n`,
  });
  return readMapFailures(storage, map);
}

test.each([
  ['JSON Lines', failed.map((line) => `${JSON.stringify(line)}\n`).join('')],
  ['a JSON array', JSON.stringify(failed)],
])('failed and pending mini-batches, from %s', async (_what, text) => {
  expect(await failures(text)).toEqual([
    { id: '0-1', error: 'Lambda.Unknown', cause: 'killed' },
    { id: '0-2', error: 'TIMED_OUT', cause: '', seconds: 289.5 },
    { id: '0-3', error: 'PENDING', cause: '' },
  ]);
});

test('files of another form are an error, not silence', async () => {
  await expect(failures('{"Status":3}\n')).rejects.toThrow(/Status/);
  await expect(failures('{')).rejects.toThrow(SyntaxError);
  await expect(readMapFailures(await bucketWith({}), map)).rejects.toThrow('no object with key out/manifest.json');
});
