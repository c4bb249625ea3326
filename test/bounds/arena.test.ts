import { createArena } from '../../lib/bounds/arena';
import { buffers } from '../../lib/bounds/buffers';

test('arrays of the arena are zero, apart from each other, and where loads of four floats like them', () => {
  const arena = createArena(2 ** 16)!;
  const arrays = [3, 1, 8, 5, 100].map((size) => arena.take(size)!);
  for (const [value, array] of arrays.entries()) {
    expect(array.byteOffset % 16).toBe(0);
    expect([...array]).toEqual(Array(array.length).fill(0));
    array.fill(value + 1);
  }
  for (const [value, array] of arrays.entries()) expect([...array]).toEqual(Array(array.length).fill(value + 1));
});

test('an arena without room gives nothing, and buffers give arrays of the heap then', () => {
  const arena = createArena(2 ** 16)!;
  const { take, give } = buffers(arena);
  const first = take(2 ** 13);
  const second = take(2 ** 13 - 5);
  const third = take(10);
  expect([first, second, third].map((array) => arena.holds(array))).toEqual([true, true, false]);
  expect(arena.take(1)).toBeUndefined();
  give(second);
  expect(take(2 ** 13)).toBe(second);
});

test('an arena is made of whole pages', () => {
  expect(createArena(1)!.take(2 ** 14)).toHaveLength(2 ** 14);
  expect(createArena(1)!.take(2 ** 14 + 1)).toBeUndefined();
});

test('holds tells its own arrays from others', () => {
  const [one, other] = [createArena(2 ** 16)!, createArena(2 ** 16)!];
  const array = one.take(4)!;
  expect([one.holds(array), one.holds(array.subarray(1, 3)), one.holds(new Int32Array(array.buffer, 4, 1))]).toEqual([
    true,
    true,
    true,
  ]);
  expect([other.holds(array), one.holds(new Float32Array(4))]).toEqual([false, false]);
});
