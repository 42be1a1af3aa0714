import { describe, expect, test } from 'vitest';
import { bodyOf, parseSubject, requestHead } from '../../../src/diagnose/request.ts';
import type { RequestTemplate } from '../../../src/diagnose/request.ts';
import { SCENARIOS } from '../../../src/diagnose/scenarios.ts';
import { ChunkedDecoder } from '../../../src/http/chunked.ts';
import { scenarioNamed } from './fixtures.ts';

const BODY = Buffer.from('0123456789'.repeat(4000));

function template(url = 'http://localhost:8000/a?b=1', fields: readonly string[] = []): RequestTemplate {
  const subject = parseSubject(url);
  if (subject.kind === 'wrong') throw new Error(subject.problem);
  return { subject: subject.value, method: 'PUT', fields, body: BODY };
}

const headOf = (name: string, asked = template()): string[] =>
  requestHead(asked, scenarioNamed(name).plan).split('\r\n');

describe('the head', () => {
  test('says what its scenario is about, and ends with an empty line', () => {
    expect(headOf('length-expect')).toEqual([
      'PUT /a?b=1 HTTP/1.1',
      'Host: localhost:8000',
      'User-Agent: lastbyte-diagnose',
      'Accept: */*',
      'Content-Type: application/octet-stream',
      'Content-Length: 40000',
      'Expect: 100-continue',
      'Connection: close',
      '',
      '',
    ]);
  });

  test('of HTTP/1.0 says nothing about the connection', () => {
    expect(headOf('get-http10').join()).not.toMatch(/connection/i);
  });

  test("has the user's own fields in place of ours, and of an empty body the length", () => {
    const head = headOf('empty-closed', template('8000', ['host', 'other', 'X-A', '1', 'X-A', '2']));
    expect(head.filter((line) => /^(host|x-a|content-length)/i.test(line))).toEqual([
      'host: other',
      'X-A: 1',
      'X-A: 2',
      'Content-Length: 0',
    ]);
  });
});

test.each(SCENARIOS)('$name sends the body that was given, or none', ({ plan }) => {
  const { first, rest } = bodyOf(template(), plan);
  const bytes = Buffer.concat([first, rest]);
  if (plan.body.framing === 'none') return expect(bytes).toHaveLength(0);
  if (plan.body.framing === 'length') return expect(bytes).toEqual(BODY);
  const decoder = new ChunkedDecoder();
  const parts: Buffer[] = [];
  decoder.decode(bytes, 0, bytes.length, (part) => parts.push(Buffer.from(part)));
  expect({ done: decoder.done, error: decoder.error }).toEqual({ done: true, error: null });
  expect(Buffer.concat(parts)).toEqual(BODY);
});

test('a withheld body has nothing that goes out with the head, and a half one half', () => {
  expect(bodyOf(template(), scenarioNamed('length-withheld').plan).first).toHaveLength(0);
  expect(bodyOf(template(), scenarioNamed('length-half').plan).first).toHaveLength(20_000);
});

test.each([
  ['http://127.0.0.1:8000', '/', '127.0.0.1:8000'],
  ['http://example.test/x?y=1#z', '/x?y=1', 'example.test'],
  ['https://example.test:443/', '/', 'example.test'],
  ['http://[::1]:8000/x', '/x', '[::1]:8000'],
  ['8000/x', '/x', 'localhost:8000'],
  ['django:8000?all', '/?all', 'django:8000'],
  ['unix:/run/app.sock', '/', 'localhost'],
  ['unix:/run/app.sock:/x/y', '/x/y', 'localhost'],
])('%s asks for %s of %s', (url, path, authority) => {
  expect(template(url).subject).toMatchObject({ path, authority });
});
