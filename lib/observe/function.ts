import { contextFromEnvironment } from '../policy/aws-context';
import type { DispatchContext } from '../policy/dispatch';
import { storageFromEnvironment } from '../storage/open';
import type { Storage } from '../storage/storage';
import { tracedClient } from './trace';

/** The storage that the environment of a function names, traced. */
export const functionStorage = (): Storage => storageFromEnvironment(process.env, tracedClient);

/** What `dispatch` and `audit` stand on, traced. */
export const functionContext = (): DispatchContext => contextFromEnvironment(process.env, tracedClient);
