/**
 * Compiles the WebAssembly text of lib/ to TypeScript files that hold it, so that nothing compiles text at run time and bundles have no other files: `npm run kernels`.
 * test/laws/kernels.test.ts tells when one was forgotten.
 */
const { readFileSync, writeFileSync } = require('node:fs');
const path = require('node:path');
const wabt = require('wabt');

const sources = ['lib/bounds/dense/gather.wat', 'lib/search/ascend.wat'];

/** The TypeScript file of a source: where it is, and what it says. */
async function compiled(source) {
  const file = path.join(__dirname, '..', source);
  const module = (await wabt()).parseWat(source, readFileSync(file, 'utf8'), { simd: true });
  try {
    module.validate();
    const bytes = Buffer.from(module.toBinary({}).buffer).toString('base64');
    const text = `/** ${path.basename(source)}, compiled by \`npm run kernels\`; base64. */\nexport const wasm =\n  '${bytes}';\n`;
    return { file: file.replace(/\.wat$/, '-wasm.ts'), text };
  } finally {
    module.destroy();
  }
}

async function main() {
  for (const source of sources) {
    const { file, text } = await compiled(source);
    writeFileSync(file, text);
    console.log(`written: ${path.relative(process.cwd(), file)}`);
  }
}

module.exports = { sources, compiled };

if (require.main === module) {
  main().catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
