import { rmSync } from 'node:fs';
import path from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import { localBucket, localCredentials, localRegion } from '../../lib/serve/credentials';
import { serve } from '../../lib/serve/serve';
import { s3Storage } from '../../lib/storage/s3';
import { storageConformance } from '../conformance/storage';
import { temporaryFolder } from '../support/folder';

const folder = temporaryFolder();
let count = 0;

storageConformance('S3 of serve, over files', async () => {
  const root = path.join(folder, String(++count));
  const settings = { root, port: 0, worker: 'no-worker.cjs', workers: 1, memoryMb: 256, stack: 'Baverly' };
  const server = await serve({ ...settings, log: () => {} });
  const client = new S3Client({ endpoint: server.endpoint, region: localRegion, credentials: localCredentials });
  return {
    storage: s3Storage({ bucket: localBucket, client }),
    async dispose() {
      client.destroy();
      await server.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
});
