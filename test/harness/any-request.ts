/** Any valid request, as bytes and as what it means: the generators of property tests. */

import * as fc from 'fast-check';

export interface AnyRequest {
  readonly method: string;
  readonly minor: 0 | 1;
  /** The client asks for the connection to be closed. */
  readonly closes: boolean;
  /** Flat [name, value, …]: the fields that the upstream must get as they are. */
  readonly fields: readonly string[];
  /** Null: none is framed. */
  readonly body: string | null;
  /** As on the wire, latin1. */
  text(target: string): string;
}

const VISIBLE = 'abcXYZ019!#$%&\'*+-.^_`|~"(),/:;<=>?@[]\\{}\x80\xe9\xff'.split('');
const BYTES = [
  ...VISIBLE,
  '\0',
  '\r',
  '\n',
  '\r\n\r\n',
  '0\r\n\r\n',
  'GET /evil HTTP/1.1\r\nHost: x\r\n\r\n',
];

const word = fc.string({ unit: fc.constantFrom(...VISIBLE), minLength: 1, maxLength: 20 });
const space = fc.constantFrom('', ' ', '\t', ' \t ');
const bytes = fc.string({ unit: fc.constantFrom(...BYTES), maxLength: 400 });

const field = fc
  .tuple(fc.constantFrom('X-One', 'x-two', 'Accept', 'Cookie', 'X_Three', '!#~'), space, word, space)
  .map(([name, before, value, after]) => ({
    line: `${name}:${before}${value}${after}\r\n`,
    flat: [name, value],
  }));

const framing = fc.oneof(
  fc.constant({ kind: 'none' } as const),
  fc.record({ kind: fc.constant('length' as const), bytes }),
  fc.record({
    kind: fc.constant('chunks' as const),
    bytes,
    size: fc.integer({ min: 1, max: 90 }),
    tail: fc.boolean(),
  }),
);
type Framing = typeof framing extends fc.Arbitrary<infer T> ? T : never;

function framed(one: Framing): { readonly lines: string; readonly bytes: string } {
  switch (one.kind) {
    case 'none':
      return { lines: '', bytes: '' };
    case 'length':
      return { lines: `content-LENGTH: ${one.bytes.length}\r\n`, bytes: one.bytes };
    case 'chunks': {
      const extension = one.tail ? ';a="b c"' : '';
      const trailers = one.tail ? 'X-Sum: 1\r\n' : '';
      let chunks = '';
      for (let at = 0; at < one.bytes.length; at += one.size) {
        const part = one.bytes.slice(at, at + one.size);
        chunks += `${part.length.toString(16)}${extension}\r\n${part}\r\n`;
      }
      return { lines: 'Transfer-Encoding: chunked\r\n', bytes: `${chunks}0${extension}\r\n${trailers}\r\n` };
    }
  }
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'] as const;

export const anyRequest: fc.Arbitrary<AnyRequest> = fc
  .record({
    method: fc.constantFrom(...METHODS),
    minor: fc.constantFrom<(0 | 1)[]>(1, 1, 1, 0),
    closes: fc.constantFrom(false, false, true),
    fields: fc.array(field, { maxLength: 5 }),
    framing,
    emptyLines: fc.nat(2),
  })
  .map(({ method, minor, closes, fields, framing: how, emptyLines }) => {
    // HTTP/1.0 knows no chunks.
    const asked: Framing = minor === 0 && how.kind === 'chunks' ? { kind: 'length', bytes: how.bytes } : how;
    const { lines, bytes: after } = framed(asked);
    const head = `${fields.map(({ line }) => line).join('')}${closes ? 'Connection: Close\r\n' : ''}${lines}`;
    return {
      method,
      minor,
      closes: closes || minor === 0,
      fields: fields.flatMap(({ flat }) => flat),
      body: asked.kind === 'none' ? null : asked.bytes,
      text: (target) =>
        `${'\r\n'.repeat(emptyLines)}${method} ${target} HTTP/1.${minor}\r\nHost: x\r\n${head}\r\n${after}`,
    };
  });
