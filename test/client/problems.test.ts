import { withDeployment } from '../../lib/client/connect';
import { explained, RemoteError, type Target } from '../../lib/client/problems';
import { BadInputError } from '../../lib/errors';
import { StorageError } from '../../lib/storage/storage';

const target: Target = { stack: 'Baverly', endpoint: undefined, bucket: undefined, stateMachine: undefined };
const named = (name: string, message = 'as AWS says it') => Object.assign(new Error(message), { name });

describe('what AWS refuses', () => {
  test.each([
    ['CredentialsProviderError', 'AWS credentials', /none were found .*: set AWS_PROFILE, or AWS_ACCESS_KEY_ID/],
    ['ExpiredTokenException', 'AWS credentials', /expired: log in again/],
    ['InvalidAccessKeyId', 'AWS credentials', /were refused \(as AWS says it\): set AWS_PROFILE/],
    ['SignatureDoesNotMatch', 'AWS credentials', /were refused/],
    ['AccessDeniedException', 'AWS credentials', /do not allow it \(as AWS says it\): docs\/clients\.md/],
    ['NoSuchBucket', 'bucket', /stack Baverly names it, so deploy again/],
    ['StateMachineDoesNotExist', 'state machine', /stack Baverly names it, so deploy again/],
  ])('%s is bad input, with what to do', (name, subject, problem) => {
    const error = explained(named(name), target);
    expect(error).toBeInstanceOf(BadInputError);
    expect(error).toMatchObject({ subject, problems: [expect.stringMatching(problem)] });
  });

  test('is found behind the error of the storage', () => {
    const error = explained(new StorageError('get', 's3://b/k', 'reason', { cause: named('NoSuchBucket') }), {
      ...target,
      bucket: 'mine',
    });
    expect(error).toMatchObject({
      subject: 'bucket mine',
      problems: ['there is no such bucket: give another --bucket'],
    });
  });

  test('and nobody knows is named as it is', () => {
    const error = explained(Object.assign(named('ThrottlingException', 'Rate exceeded'), { $metadata: {} }), target);
    expect(error).toEqual(new RemoteError('AWS answered ThrottlingException: Rate exceeded'));
    const own = new TypeError('a defect of ours');
    expect(explained(own, target)).toBe(own);
  });

  test('a connection that fails says what was to be reached', () => {
    const refused = Object.assign(new AggregateError([Object.assign(new Error(), { code: 'ECONNREFUSED' })]), {});
    expect(explained(refused, { ...target, endpoint: 'http://127.0.0.1:1' })).toMatchObject({
      name: 'RemoteError',
      message: 'http://127.0.0.1:1 cannot be reached (ECONNREFUSED): is `npx baverly serve` running there?',
    });
    expect(explained(Object.assign(new Error(), { code: 'ENOTFOUND' }), target)).toMatchObject({
      message: 'AWS cannot be reached (ENOTFOUND): is there a network?',
    });
  });
});

describe('a deployment', () => {
  const use = (options: object, env: NodeJS.ProcessEnv = {}) =>
    withDeployment({ stack: 'Baverly', ...options }, async ({ bucket }) => bucket, env);

  test('is not looked up where bucket and state machine are given', async () => {
    const given = {
      bucket: 'my-bucket',
      stateMachine: 'arn:aws:states:eu-west-1:1:stateMachine:m',
      region: 'eu-west-1',
    };
    expect(await use(given)).toBe('my-bucket');
  });

  test.each(['127.0.0.1:4750', 'ftp://127.0.0.1', 'nowhere'])('is not at %s', async (endpoint) => {
    await expect(use({ endpoint })).rejects.toThrow(/is not an http or https URL/);
  });

  test('needs a region', async () => {
    const before = { ...process.env };
    for (const name of ['AWS_REGION', 'AWS_DEFAULT_REGION', 'AWS_PROFILE']) delete process.env[name];
    Object.assign(process.env, { AWS_CONFIG_FILE: '/dev/null', AWS_SHARED_CREDENTIALS_FILE: '/dev/null' });
    try {
      await expect(use({})).rejects.toMatchObject({
        subject: 'AWS region',
        problems: [expect.stringContaining('--region')],
      });
      const off = { AWS_EC2_METADATA_DISABLED: 'true' };
      Object.assign(process.env, off);
      await expect(use({ region: 'eu-west-1' })).rejects.toMatchObject({
        subject: 'AWS credentials',
        problems: [expect.stringMatching(/^none were found/)],
      });
    } finally {
      process.env = before;
    }
  });
});
