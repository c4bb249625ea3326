/** Bundles the command line and the entry of its child processes into dist/; packages stay in node_modules. */
const { existsSync, readdirSync, statSync } = require('node:fs');
const path = require('node:path');
const { nodeBundle } = require('./node-bundle.cjs');

const root = path.join(__dirname, '..');
const sources = ['lib', 'functions', 'statemachine', 'package.json'];
const entries = { baverly: 'lib/cli/main.ts', worker: 'lib/cli/worker.ts' };
const outputs = Object.keys(entries).map((name) => path.join(root, 'dist', `${name}.cjs`));

function newest(file) {
  const stat = statSync(file);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return readdirSync(file).reduce((time, name) => Math.max(time, newest(path.join(file, name))), 0);
}

function isFresh() {
  if (!outputs.every(existsSync)) return false;
  const built = Math.min(...outputs.map((file) => statSync(file).mtimeMs));
  return sources.every((name) => newest(path.join(root, name)) < built);
}

/** Builds unless dist/ is newer than every source. */
function build() {
  if (isFresh()) return;
  require('esbuild').buildSync({
    absWorkingDir: root,
    entryPoints: entries,
    outdir: 'dist',
    outExtension: { '.js': '.cjs' },
    ...nodeBundle,
    sourcemap: true,
    logLevel: 'warning',
  });
}

module.exports = { build };
if (require.main === module) build();
