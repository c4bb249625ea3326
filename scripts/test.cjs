/** `npm test [-- jest arguments]`: the fast tests, and with BAVERLY_TESTS=slow the end-to-end, browser and synth tests. */
const { spawnSync } = require('node:child_process');
const path = require('node:path');
const { ensureInstalled } = require('./ensure-installed.cjs');

ensureInstalled();
require('./build.cjs').build();

const root = path.join(__dirname, '..');
const jest = path.join(root, 'node_modules', 'jest', 'bin', 'jest.js');
const result = spawnSync(process.execPath, [jest, ...process.argv.slice(2)], { cwd: root, stdio: 'inherit' });
process.exit(result.status ?? 1);
