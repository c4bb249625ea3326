import { readFileSync } from 'node:fs';
import { compiled, sources } from '../../scripts/kernels.cjs';

test.each(sources)('%s is what was compiled', async (source) => {
  const { file, text } = await compiled(source);
  expect(readFileSync(file, 'utf8')).toBe(text);
});
