import { type BundlingOptions, LogLevel, OutputFormat } from 'aws-cdk-lib/aws-lambda-nodejs';
import { project } from '../project';
import type { Settings } from '../settings';

/**
 * How a function becomes a zip, on this machine and without Docker: esbuild puts our code and all its packages into one
 * file. The AWS SDK is bundled as well, although the runtime has one, so that what runs is what the lock file says and
 * the tests ran.
 */
const common: BundlingOptions = {
  logLevel: LogLevel.WARNING,
  format: OutputFormat.CJS,
  target: 'node20',
  minify: true,
  keepNames: true,
  sourceMap: true,
  sourcesContent: false,
  forceDockerBundling: false,
  externalModules: [],
};

const quoted = (argument: string) => `"${argument}"`;

/** For functions that never touch ONNX Runtime. */
export const plainBundling = common;

/**
 * For functions that import ONNX Runtime. It is a native library of 291 MB for all platforms, more than Lambda takes, so
 * it stays out of the bundle and the files of one platform are put beside it.
 */
export function onnxBundling(platform: Settings['onnxPlatform']): BundlingOptions {
  return {
    ...common,
    externalModules: ['onnxruntime-node', 'onnxruntime-common', 'highs'],
    commandHooks: {
      beforeBundling: () => [],
      beforeInstall: () => [],
      afterBundling: (_inputDir, outputDir) => [
        ['node', quoted(project.copyOnnxRuntime), quoted(outputDir), platform].join(' '),
      ],
    },
  };
}
