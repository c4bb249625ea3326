import { memoryStorage } from '../support/memory-storage';
import { storageConformance } from './storage';

storageConformance('memory', async () => ({ storage: memoryStorage() }));
