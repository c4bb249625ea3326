const { createHash } = require('node:crypto');
const { transformSync, version } = require('esbuild');

/** Jest transform: TypeScript to CommonJS by esbuild (types are checked by `npm run types`, not here). */
module.exports = {
  process: (source, file) =>
    transformSync(source, {
      loader: 'ts',
      format: 'cjs',
      target: 'node20',
      sourcemap: 'inline',
      sourcefile: file,
      sourcesContent: true,
    }),
  getCacheKey: (source, file, options) =>
    createHash('sha256').update(source).update(file).update(version).update(String(options.instrument)).digest('hex'),
};
