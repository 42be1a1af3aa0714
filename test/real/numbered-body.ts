/** The bytes that the test servers answer on /bytes/<n>: each 16-byte line holds its own number. */

const LINE_BYTES = 16;

/** The same as `numbered_bytes` in apps/answers.py, so that a client can tell a whole body from a damaged one. */
export function numberedBody(byteCount: number): Buffer {
  const body = Buffer.alloc(Math.ceil(byteCount / LINE_BYTES) * LINE_BYTES);
  for (let at = 0; at < body.length; at += LINE_BYTES) {
    body.write(`${String(at / LINE_BYTES).padStart(LINE_BYTES - 1, '0')}\n`, at, 'latin1');
  }
  return body.subarray(0, byteCount);
}
