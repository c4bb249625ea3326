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

/** For functions that never run a network. */
export const plainBundling = common;

/**
 * For functions that import ONNX Runtime and HiGHS, which read files from beside their code: they stay out of the bundle
 * and are put beside it. ONNX Runtime only for one platform, since its 291 MB for all are more than Lambda takes.
 */
export function onnxBundling(platform: Settings['onnxPlatform']): BundlingOptions {
  return {
    ...common,
    externalModules: ['onnxruntime-node', 'onnxruntime-common', 'highs'],
    commandHooks: {
      beforeBundling: () => [],
      beforeInstall: () => [],
      afterBundling: (_inputDir, outputDir) => [
        ['node', quoted(project.copyPackages), quoted(outputDir), platform].join(' '),
      ],
    },
  };
}
