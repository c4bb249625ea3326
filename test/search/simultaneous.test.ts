import { marginRows } from '../../lib/bounds/margin';
import { createEngine } from '../../lib/group/engine';
import { misclassification } from '../../lib/region/violation';
import { randomBox } from '../support/balls';
import { randomMlp } from '../support/models';

const inputs = 4;
const outputs = 3;

test('searches of one engine that run at the same time, each by itself, end as they do one after the other', async () => {
  const engine = await createEngine(randomMlp([inputs, 10, 8, outputs], 5), 'net');
  const searches = Array.from({ length: 8 }, (_, i) => () => {
    const violation = misclassification(i % outputs, outputs);
    const box = randomBox(inputs, 0.1 + 0.05 * i, 40 + i);
    return engine.searcher.search(box, violation, marginRows(violation), { deadline: Date.now() + 60_000 });
  });
  const apart = [];
  for (const search of searches) apart.push(await search());
  const together = await Promise.all(searches.map((search) => search()));
  expect(together).toEqual(apart);
  expect(new Set(apart.map(({ kind }) => kind))).toEqual(new Set(['proven', 'witness']));
  await engine.release();
});
