/**
 * Copies the packages that cannot be bundled, because they read files from beside their code, into the node_modules of a
 * bundled function: ONNX Runtime (native libraries, for one platform) and HiGHS (WebAssembly). Only what is used at run time.
 *
 * usage: node copy-packages.cjs <folder> <platform>/<arch>      e.g. cdk.out/asset.x linux/arm64
 */
const { cpSync, existsSync, mkdirSync, readdirSync, realpathSync } = require('node:fs');
const { createRequire } = require('node:module');
const path = require('node:path');

/** The folder of an installed package, as another file would find it. */
function packageFolder(name, from) {
  const folders = createRequire(from).resolve.paths(name);
  const found = folders.map((folder) => path.join(folder, name)).find((folder) => existsSync(folder));
  if (found === undefined) throw new Error(`${name} is not installed: run npm ci`);
  return realpathSync(found);
}

/** Type declarations, source maps and the second, ES module copy of the code are of no use at run time. */
const usedAtRunTime = (file) => !/\.(d\.ts|map)$/.test(file) && path.basename(file) !== 'esm';

function copyPackage(source, outputFolder, parts) {
  const target = path.join(outputFolder, 'node_modules', path.basename(source));
  mkdirSync(target, { recursive: true });
  for (const part of parts) {
    cpSync(path.join(source, part), path.join(target, part), { recursive: true, filter: usedAtRunTime });
  }
}

function copyOnnxRuntime(outputFolder, platform) {
  const runtime = packageFolder('onnxruntime-node', __filename);
  const common = packageFolder('onnxruntime-common', path.join(runtime, 'package.json'));
  const binaries = path.join(runtime, 'bin', 'napi-v6');
  if (!existsSync(path.join(binaries, platform))) {
    const known = readdirSync(binaries).flatMap((os) =>
      readdirSync(path.join(binaries, os)).map((arch) => `${os}/${arch}`),
    );
    throw new Error(`onnxruntime-node has no binary for ${platform}, only for ${known.join(', ')}`);
  }
  copyPackage(runtime, outputFolder, ['package.json', 'dist', path.join('bin', 'napi-v6', platform)]);
  copyPackage(common, outputFolder, ['package.json', 'dist']);
}

function copyHighs(outputFolder) {
  const used = ['package.json', path.join('build', 'highs.js'), path.join('build', 'highs.wasm')];
  copyPackage(packageFolder('highs', __filename), outputFolder, used);
}

const [outputFolder, platform] = process.argv.slice(2);
copyOnnxRuntime(outputFolder, platform);
copyHighs(outputFolder);
