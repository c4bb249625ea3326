import { baverly } from '../support/command';
import { fileIn, temporaryFolder } from '../support/folder';

const folder = temporaryFolder();
/** Nothing listens there. */
const nowhere = ['--endpoint', 'http://127.0.0.1:1'];

test.each([
  [['serve'], "required option '--root <folder>'"],
  [['serve', '--root', 'r', '--port', '70000'], 'It must be a port, 0 to 65535'],
  [['serve', '--root', 'r', '--nightly', 'at night'], "It must be a cron pattern such as '0 2 * * *'"],
  [['runs', '--status', 'lost'], 'Allowed choices are running, done, failed, timed-out, cancelled'],
  [['runs', '--limit', '0'], 'whole number above 0'],
  [['watch'], "missing required argument 'run'"],
  [['watch', 'a/b'], 'is not the id of a run'],
  [['cancel', '../x'], 'is not the id of a run'],
  [['fetch', 'a b'], 'is not the id of a run'],
  [['runs', '--endpoint', 'here'], 'is not an http or https URL'],
  [['submit', '--id', 'a b'], 'is not the id of a run'],
])('%j is refused with exit code 2', async (argv, message) => {
  const { code, stdout, stderr } = await baverly(argv);
  expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: '', stderr: expect.stringContaining(message) });
});

test('submit names the problems of all that it is given, before it asks anybody', async () => {
  const model = fileIn(folder, 'bad.onnx', 'no model');
  const { code, stderr } = await baverly([
    'submit',
    '--model',
    model,
    '--data',
    'none.npz',
    '--epsilon',
    'x',
    ...nowhere,
  ]);
  expect(code).toBe(2);
  expect(stderr.match(/^ {2}- /gm)).toHaveLength(3);
});

test('serve is not started over a file', async () => {
  const file = fileIn(folder, 'a-root', '');
  expect(await baverly(['serve', '--root', file])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('is a file, not a folder; choose another --root'),
  });
});

test('fetch looks first whether it can write there', async () => {
  const file = fileIn(folder, 'a-file', '');
  expect(await baverly(['fetch', 'r', '--out', file, ...nowhere])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('is a file, not a folder; choose another --out'),
  });
});

test.each([['runs'], ['watch', 'r'], ['cancel', 'r'], ['fetch', 'r']])(
  '%s of a deployment that cannot be reached ends with exit code 3',
  async (...argv) => {
    const { code, stdout, stderr } = await baverly([...argv, ...nowhere, '--json']);
    const problem = 'http://127.0.0.1:1 cannot be reached (ECONNREFUSED): is `npx baverly serve` running there?';
    expect({ code, stderr }).toEqual({ code: 3, stderr: `error: ${problem}\n` });
    expect(JSON.parse(stdout)).toEqual({ status: 'failed', error: 'RemoteError', problems: [problem], exitCode: 3 });
  },
);
