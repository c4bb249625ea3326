/** `npm start`: verifies the example's two classifiers, as a user would with `npx baverly run`. */
const { spawnSync } = require('node:child_process');
const { rmSync } = require('node:fs');
const path = require('node:path');
const { ensureInstalled } = require('./ensure-installed.cjs');

ensureInstalled();

const root = path.join(__dirname, '..');
const digits = path.join('examples', 'digits');
const folders = [];
let worst = 0;
for (const model of ['fc', 'conv']) {
  const out = path.join('baverly-runs', `example-${model}`);
  rmSync(path.join(root, out), { recursive: true, force: true });
  const run = ['run', '--model', path.join(digits, `${model}.onnx`), '--data', path.join(digits, 'digits-test.npz')];
  const args = [...run, '--epsilon', '0.02,0.04', '--first', '200', '--time-per-ball', '5', '--out', out];
  console.log(`\n> npx baverly ${args.join(' ')}`);
  const { status } = spawnSync(process.execPath, [path.join(root, 'bin', 'baverly.cjs'), ...args], {
    cwd: root,
    stdio: 'inherit',
  });
  worst = Math.max(worst, status ?? 3);
  if (status === 0) folders.push(out);
}
if (folders.length > 0) {
  console.log('\nOpen in a browser:');
  for (const folder of folders) console.log(`  ${path.join(root, folder, 'report.html')}`);
}
process.exit(worst);
