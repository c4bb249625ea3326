/** How esbuild bundles what runs in Node from this checkout: repository files into one, packages stay in node_modules. */
const nodeBundle = { bundle: true, platform: 'node', target: 'node20', format: 'cjs', packages: 'external' };

module.exports = { nodeBundle };
