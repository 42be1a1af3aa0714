import { once } from 'node:events';
import { createServer, request } from 'node:http';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clientFields, serializeFields } from '../../../src/http/forwarding.ts';
import { parseResponseHead } from '../../../src/http/response-head.ts';

describe('toward the client', () => {
  const CL = 'Content-Length';
  const TE = 'Transfer-Encoding';

  test.each<
    [
      fields: readonly string[],
      length: number | null,
      method: string,
      status: number,
      sent: readonly string[],
    ]
  >([
    [['A', 'b', CL, '9', 'C', 'd'], 5, 'GET', 200, ['A', 'b', CL, '5', 'C', 'd']],
    [['content-length', '5', 'A', 'b', CL, '5'], 5, 'GET', 200, ['content-length', '5', 'A', 'b']],
    [[TE, 'chunked', 'A', 'b'], 5, 'GET', 200, ['A', 'b', CL, '5']],
    [['A', 'b'], 0, 'POST', 500, ['A', 'b', CL, '0']],
    [[CL, '5, 5', 'A', 'b'], null, 'HEAD', 200, [CL, '5', 'A', 'b']],
    [[CL, '5', CL, '5'], 0, 'HEAD', 200, [CL, '5']],
    [[CL, '5'], 0, 'GET', 304, [CL, '5']],
    [['A', 'b'], 0, 'HEAD', 200, ['A', 'b']],
    [[CL, '5', TE, 'chunked'], null, 'HEAD', 200, []],
    [[CL, '5', CL, '6'], null, 'HEAD', 200, []],
    [[CL, '5'], 5, 'GET', 204, []],
    [
      ['Connection', 'Upgrade', 'Upgrade', 'TLS/1.2', 'Upgrade', 'HTTP/2.0'],
      0,
      'GET',
      426,
      [CL, '0', 'Upgrade', 'TLS/1.2, HTTP/2.0', 'Connection', 'Upgrade'],
    ],
    [['A', 'b'], 0, 'GET', 426, ['A', 'b', CL, '0']],
    [[CL, '5'], null, 'GET', 103, []],
    [['A', 'b', TE, 'chunked', CL, '5'], null, 'GET', 200, ['A', 'b']],
    [
      ['Connection', 'close, X-Hop', 'X-Hop', '1', 'Trailer', 'X-Sum', 'Upgrade', 'h2c'],
      5,
      'GET',
      200,
      [CL, '5'],
    ],
    [['Set-Cookie', 'a', 'SET-COOKIE', 'b'], 5, 'GET', 200, ['Set-Cookie', 'a', 'SET-COOKIE', 'b', CL, '5']],
  ])('%j with a length of %j, to %s with %i, become %j', (fields, length, method, status, sent) => {
    expect(clientFields({ fields, status, method, length })).toEqual(sent);
  });

  test('whatever the response parser accepts, writeHead accepts too, and the client gets it as it was', async () => {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = address !== null && typeof address === 'object' ? address.port : 0;
    const name = fc.stringMatching(/^[!#$%&'*+\-.^_`|~\dA-Za-z]{1,12}$/).map((text) => `X-${text}`);
    const value = fc.uint8Array({ maxLength: 20 }).map((raw) => Buffer.from(raw).toString('latin1'));
    const head = fc.record({ reason: value, fields: fc.array(fc.tuple(name, value), { maxLength: 5 }) });
    let accepted = 0;
    try {
      await fc.assert(
        fc.asyncProperty(head, async ({ reason, fields }) => {
          const text = `HTTP/1.1 200 ${reason}\r\n${serializeFields(fields.flat())}\r\n`;
          const bytes = Buffer.from(text, 'latin1');
          const parsed = parseResponseHead(bytes, 0, bytes.length);
          if (parsed.kind === 'malformed') return;
          accepted += 1;
          const sent = clientFields({ fields: parsed.head.fields, status: 200, method: 'GET', length: 0 });
          server.once('request', (_request, response) => {
            response.sendDate = false;
            response.writeHead(200, parsed.head.reason, [...sent, 'Connection', 'close']).end();
          });
          const outgoing = request({ port, host: '127.0.0.1', agent: false }).end();
          const received = await new Promise<string[]>((resolve, reject) => {
            outgoing.on('error', reject).on('response', (response) => {
              response.resume();
              resolve(response.rawHeaders);
            });
          });
          expect(received).toEqual([...sent, 'Connection', 'close']);
        }),
        { numRuns: 300 },
      );
    } finally {
      server.close();
    }
    expect(accepted).toBeGreaterThan(20);
  });
});

test('fields are written one line each', () => {
  expect(serializeFields(['A', 'b', 'a', '', 'C', '\xe9'])).toBe('A: b\r\na: \r\nC: \xe9\r\n');
  expect(serializeFields([])).toBe('');
});
