import { createBounder } from '../../lib/bounds/bounder';
import { denseChain } from '../../lib/bounds/dense/chain';
import { gatherPlainly } from '../../lib/bounds/dense/gather';
import { workspacesOf } from '../../lib/bounds/dense/workspace';
import { readNetwork } from '../../lib/network/read';
import { randomBox } from '../support/balls';
import { randomMlp } from '../support/models';

const { network } = readNetwork(randomMlp([30, 40, 40, 40, 4], 2));
const chain = denseChain(network)!;
/** Longest array that an arena has room for. */
const long = 2 ** 18;

/** Takes arrays until one comes from the heap. */
function fill({ buffers }: ReturnType<ReturnType<typeof workspacesOf>>, memory: unknown): Float32Array[] {
  const taken: Float32Array[] = [];
  do taken.push(buffers.take(long));
  while (taken[taken.length - 1].buffer === memory);
  return taken;
}

test('weights and small arrays share a memory, and chunks the workspace as long as it has room', () => {
  const next = workspacesOf(chain, 2 ** 28);
  const space = next();
  const { buffer } = space.chain.layers[1].weight;
  expect(space.chain.layers[1].weight).toEqual(chain.layers[1].weight);
  expect(space.buffers.take(100).buffer).toBe(buffer);
  expect(next()).toBe(space);
});

test('one that was short is followed by a larger one, with the weights; its own arrays stay', () => {
  const next = workspacesOf(chain, 2 ** 28);
  const first = next();
  const { buffer } = first.chain.layers[1].weight;
  const taken = fill(first, buffer);
  for (const [i, array] of taken.entries()) array.fill(i + 1);
  const second = next();
  expect(second).not.toBe(first);
  expect(second.chain.layers[2].weight).toEqual(chain.layers[2].weight);
  const larger = second.chain.layers[1].weight.buffer;
  expect(larger.byteLength).toBeGreaterThan(3 * buffer.byteLength);
  // Arrays of the old one given back late, as by a chunk that goes on, are not handed out by the new one.
  first.buffers.give(taken[0]);
  expect(fill(second, larger).slice(0, -1)).not.toContain(taken[0]);
  expect(taken.map((array) => [array[0], array[long - 1]])).toEqual(taken.map((_, i) => [i + 1, i + 1]));
});

test('no arena is larger than allowed, and without any memory all is on the heap', () => {
  const next = workspacesOf(chain, 2 ** 22);
  const first = next();
  const { buffer } = first.chain.layers[1].weight;
  expect(buffer.byteLength).toBe(2 ** 22);
  fill(first, buffer);
  expect(next()).toBe(first);
  const { Memory } = WebAssembly;
  try {
    WebAssembly.Memory = class {
      constructor() {
        throw new RangeError('no memory');
      }
    } as unknown as typeof Memory;
    const plain = workspacesOf(chain, 2 ** 28)();
    expect(plain.chain.gatherRows).toBe(gatherPlainly);
    expect(plain.buffers.take(5)).toHaveLength(8);
  } finally {
    WebAssembly.Memory = Memory;
  }
});

test('bounds are the same before and after the arena grew', async () => {
  const bounder = createBounder(network, { stages: false });
  const rows = [{ coefficients: Float64Array.of(1, -1, 0, 0), offset: 0 }];
  const queries = Array.from({ length: 300 }, (_, i) => ({ box: randomBox(30, 0.3, i), rows }));
  const arena = () => bounder.programs.workspace()!.chain.layers[1].weight.buffer;
  try {
    const small = arena();
    const [before, again] = [await bounder.bound(queries), await bounder.bound(queries)];
    expect(arena().byteLength).toBeGreaterThan(small.byteLength);
    expect(again).toEqual(before);
  } finally {
    await bounder.release();
  }
});
