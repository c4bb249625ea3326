import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { BadInputError } from '../../lib/errors';
import { openStorage, storageFromEnvironment } from '../../lib/storage/open';

function problems(open: () => unknown): string {
  try {
    open();
  } catch (error) {
    if (error instanceof BadInputError) return error.message;
  }
  throw new Error('no BadInputError');
}

describe('a location', () => {
  test.each([
    ['s3://some-bucket', 's3://some-bucket'],
    ['s3://some-bucket/', 's3://some-bucket'],
    ['some/folder', path.resolve('some/folder')],
    ['/some/folder', '/some/folder'],
    ['s3', path.resolve('s3')],
    [pathToFileURL('/some/folder').href, '/some/folder'],
  ])('%s opens %s', (location, expected) => {
    expect(openStorage(location).location).toBe(expected);
  });

  test.each([
    ['', 'storage (empty): no location; give s3://bucket or a folder'],
    ['gs://bucket', 'storage gs://bucket: gs:// is not supported; give s3://bucket or a folder'],
    ['s3://bucket/runs', 'so runs cannot be part of it; give s3://bucket'],
    ['s3://', 'not the name of a bucket'],
    ['s3://A_B', 'not the name of a bucket'],
  ])('%s is refused', (location, message) => {
    expect(problems(() => openStorage(location))).toContain(message);
  });
});

describe('the environment', () => {
  test('names a bucket or a folder', () => {
    expect(storageFromEnvironment({ BAVERLY_BUCKET: 'some-bucket' }).location).toBe('s3://some-bucket');
    expect(storageFromEnvironment({ BAVERLY_ROOT: '/some/folder', BAVERLY_BUCKET: '' }).location).toBe('/some/folder');
    // Not a location: a folder may have such a name.
    expect(storageFromEnvironment({ BAVERLY_ROOT: 's3:' }).location).toBe(path.resolve('s3:'));
  });

  test.each([
    [{}, 'no storage is named; set BAVERLY_BUCKET'],
    [{ BAVERLY_BUCKET: '', BAVERLY_ROOT: '' }, 'no storage is named'],
    [{ BAVERLY_BUCKET: 'b', BAVERLY_ROOT: '/r' }, 'BAVERLY_BUCKET (b) and BAVERLY_ROOT (/r) are both set'],
    [{ BAVERLY_BUCKET: 's3://bucket' }, 'storage BAVERLY_BUCKET=s3://bucket: not the name of a bucket'],
  ])('%j is refused', (env, message) => {
    expect(problems(() => storageFromEnvironment(env))).toContain(message);
  });
});
