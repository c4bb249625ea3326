/**
 * What `cdk synth` and `cdk deploy` run (cdk.json): bundles app.ts and executes it. The bundle lies one folder below the
 * root, as cdk/ does, so that project.ts finds the root from either place.
 */
const path = require('node:path');
const { buildSync } = require('esbuild');
const { nodeBundle } = require('../scripts/node-bundle.cjs');

// The functions are bundled by `npx esbuild`, which would ask the registry for a newer npm.
process.env.npm_config_update_notifier = 'false';

const outfile = path.join(__dirname, '..', '.build', 'cdk.cjs');
buildSync({
  entryPoints: [path.join(__dirname, 'app.ts')],
  outfile,
  ...nodeBundle,
  sourcemap: 'inline',
  logLevel: 'warning',
});
require(outfile);
