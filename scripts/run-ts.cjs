/**
 * Runs a TypeScript file of this repository: `node scripts/run-ts.cjs examples/digits/train.ts [arguments]`.
 * The file and what it imports from the repository are bundled by esbuild, packages stay where they are. The script
 * runs in this process: process.argv holds its own arguments, its exit code is ours, `__dirname` is the folder of the
 * TypeScript file that says it, and stack traces point into the TypeScript sources.
 */
const { existsSync, readFileSync, rmSync } = require('node:fs');
const path = require('node:path');
const { build } = require('esbuild');
const { nodeBundle } = require('./node-bundle.cjs');

/** Gives every source file its own `__dirname` and `__filename` in the bundle. */
const ownFolder = {
  name: 'own-folder',
  setup(bundle) {
    bundle.onLoad({ filter: /\.ts$/ }, ({ path: file }) => {
      const source = readFileSync(file, 'utf8');
      const own = { __dirname: path.dirname(file), __filename: file };
      const constants = Object.entries(own).filter(([name]) => source.includes(name));
      // All on the first line, so that line numbers stay what they are.
      const head = constants.map(([name, value]) => `const ${name} = ${JSON.stringify(value)}; `).join('');
      return { contents: head + source, loader: 'ts' };
    });
  },
};

/** Bundles the script and returns the bundle's path, inside the repository so that packages are found from it. */
async function bundle(script) {
  const outfile = path.join(__dirname, '..', '.build', `${path.basename(script, '.ts')}-${process.pid}.cjs`);
  await build({
    entryPoints: [script],
    outfile,
    ...nodeBundle,
    sourcemap: 'inline',
    logLevel: 'error',
    plugins: [ownFolder],
  });
  return outfile;
}

async function main() {
  const [node, , script, ...rest] = process.argv;
  if (script === undefined || !existsSync(script)) {
    const problem = script === undefined ? 'no script given' : `there is no file ${script}`;
    console.error(`${problem}; usage: node scripts/run-ts.cjs <script.ts> [arguments]`);
    process.exitCode = 2;
    return;
  }
  const outfile = await bundle(script);
  process.on('exit', () => rmSync(outfile, { force: true }));
  process.argv = [node, path.resolve(script), ...rest];
  process.setSourceMapsEnabled(true);
  require(outfile);
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
