import { version as ortVersion } from 'onnxruntime-node/package.json';
import { version } from '../package.json';

/**
 * Number of the engine within a release: raised with every change of what decides a verdict (reading of models, balls, bounds and
 * their rounding errors, search, attack, replay).
 */
const engine = 10;

/**
 * Engine and arithmetic that a verdict rests on. A stored verdict counts only for the version that found it, so an error that a
 * release mended cannot live on in what is reused: every release, every change of `engine` and every ONNX Runtime verifies anew.
 */
export const engineVersion = `baverly-${version}-engine-${engine}-ort-${ortVersion}`;
