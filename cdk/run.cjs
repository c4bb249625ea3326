/**
 * What `cdk synth` and `cdk deploy` run (cdk.json): bundles app.ts and executes it. The bundle lies one folder below the
 * root, as cdk/ does, so that project.ts finds the root from either place.
 */
const path = require('node:path');
const { buildSync } = require('esbuild');

const outfile = path.join(__dirname, '..', '.build', 'cdk.cjs');
buildSync({
  entryPoints: [path.join(__dirname, 'app.ts')],
  outfile,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  packages: 'external',
  sourcemap: 'inline',
  logLevel: 'warning',
});
require(outfile);
