import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileStorage } from '../../lib/storage/files';
import { storageConformance } from './storage';

storageConformance('files', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'baverly-storage-'));
  return {
    storage: fileStorage(path.join(folder, 'not yet there')),
    dispose: () => rm(folder, { recursive: true }),
  };
});
