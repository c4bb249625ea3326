/** Installs the packages of the lock file where they are missing or of another lock file. Needs nothing but Node and npm. */
const { spawnSync } = require('node:child_process');
const { existsSync, lstatSync, statSync } = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..');

function ensureInstalled() {
  const installed = path.join(root, 'node_modules', '.package-lock.json');
  const lock = path.join(root, 'package-lock.json');
  // A link leads to the packages of somebody else, which `npm ci` would delete first.
  if (lstatSync(path.join(root, 'node_modules'), { throwIfNoEntry: false })?.isSymbolicLink()) return;
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return;
  console.error('Installing packages (npm ci) ...');
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const { status } = spawnSync(npm, ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (status !== 0) {
    console.error('npm ci failed: its messages above say why.');
    process.exit(2);
  }
}

module.exports = { ensureInstalled };
