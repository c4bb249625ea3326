import { s3Storage } from '../../lib/storage/s3';
import { loopbackClient, serverCredentials } from '../fixtures/s3/client';
import { startS3 } from '../fixtures/s3/server';
import { storageConformance } from './storage';

storageConformance('S3', async () => {
  const server = await startS3({ credentials: serverCredentials, buckets: ['conformance'] });
  const client = loopbackClient(server.endpoint);
  return {
    storage: s3Storage({ bucket: 'conformance', client }),
    async dispose() {
      client.destroy();
      await server.close();
    },
  };
});
