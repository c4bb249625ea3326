import { createListings } from '../../lib/serve/s3/listings';

function setUp() {
  const walks: string[] = [];
  let time = 0;
  let keys = ['a'];
  const listings = createListings(
    async (prefix) => {
      walks.push(prefix);
      return keys;
    },
    () => time,
  );
  const wait = (milliseconds: number) => {
    time += milliseconds;
  };
  const change = (to: string[]) => {
    keys = to;
  };
  return { walks, listings, wait, change };
}

test('pages that go on walk once; a first page always walks', async () => {
  const { walks, listings, change } = setUp();
  await listings.keys('x/', false);
  change(['a', 'b']);
  expect(await listings.keys('x/', true)).toEqual(['a']);
  expect(await listings.keys('x/', false)).toEqual(['a', 'b']);
  expect(await listings.keys('y/', true)).toEqual(['a', 'b']);
  expect(walks).toEqual(['x/', 'x/', 'y/']);
});

test('a listing is forgotten after a write, a minute, and when many others came', async () => {
  const { walks, listings, wait } = setUp();
  const walked = async (prefix: string) => {
    const before = walks.length;
    await listings.keys(prefix, true);
    return walks.length > before;
  };
  await listings.keys('x', false);
  expect(await walked('x')).toBe(false);
  listings.forget();
  expect(await walked('x')).toBe(true);
  wait(59_999);
  expect(await walked('x')).toBe(false);
  wait(1);
  expect(await walked('x')).toBe(true);
  for (let k = 0; k < 8; k++) await listings.keys(`other ${k}`, false);
  expect(await walked('x')).toBe(true);
});
