import { version } from '../../package.json';
import { baverly } from '../support/command';

test('--version', async () => {
  expect(await baverly(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
});

test.each([[['--help']], [['help']]])('%j shows the commands and the exit codes', async (argv) => {
  const { code, stdout, stderr } = await baverly(argv);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  for (const text of ['run', 'resume', 'vnncomp', 'submit', 'serve', '2 bad input, 3 incomplete'])
    expect(stdout).toContain(text);
});

test.each(['run', 'resume', 'vnncomp', 'submit', 'watch', 'fetch', 'cancel', 'runs', 'serve'])(
  '%s --help describes every option',
  async (name) => {
    const { code, stdout } = await baverly([name, '--help']);
    expect(code).toBe(0);
    const options = stdout.split('\n').filter((line) => /^ {2}--/.test(line));
    expect(options.length).toBeGreaterThan(2);
    for (const option of options) expect(option).toMatch(/^ {2}--[a-z-]+( <[a-z,]+>)? {2,}\S/);
  },
);

test('without a command the help is shown, as an error', async () => {
  const { code, stdout, stderr } = await baverly([]);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain('Usage: baverly');
});

test('an unknown command', async () => {
  expect(await baverly(['rum'])).toEqual({
    code: 2,
    stdout: '',
    stderr: "error: unknown command 'rum'\n(Did you mean run?)\n(see --help)\n",
  });
});
