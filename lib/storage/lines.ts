/** The lines of UTF-8 text, decoded one by one: bodies may be longer than a string can be (2^29 - 24 characters in V8). */
export function* linesOf(body: Uint8Array): Generator<string> {
  const decoder = new TextDecoder();
  for (let start = 0; start < body.length; ) {
    const found = body.indexOf(10, start);
    const end = found < 0 ? body.length : found;
    yield decoder.decode(body.subarray(start, end));
    start = end + 1;
  }
}
