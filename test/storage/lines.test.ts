import { linesOf } from '../../lib/storage/lines';

test.each([
  ['', []],
  ['a', ['a']],
  ['a\n', ['a']],
  ['a\n\nä€𝄞\nb', ['a', '', 'ä€𝄞', 'b']],
  ['\n\n', ['', '']],
])('the lines of %j', (text, lines) => {
  expect([...linesOf(Buffer.from(text))]).toEqual(lines);
});
