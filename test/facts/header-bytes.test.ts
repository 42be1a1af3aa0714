/** What Node writes for a header field that holds bytes beyond ASCII, with nothing of our own. */

import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { Bare } from '../harness/bare.ts';
import { Client } from '../harness/client.ts';

const BODY = Buffer.from('ok');
const LENGTH = ['Content-Length', '2'];

/** The head that a client sees, or the error that was thrown. */
async function headOf(respond: (response: ServerResponse) => void): Promise<string> {
  let thrown = '';
  const server = createServer((_request, response) => {
    response.sendDate = false;
    try {
      respond(response);
    } catch (error) {
      thrown = String(error);
      response.destroy();
    }
  });
  await using bare = await Bare.start(server);
  using client = await Client.connect(bare.port);
  await client.send('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  await client.end();
  return thrown === '' ? client.left.toString('latin1') : thrown;
}

/** nodejs/node#58240 */
describe('Content-Disposition after a Content-Length', () => {
  test('is read as UTF-8, so that its bytes change', async () => {
    const fields = [...LENGTH, 'Content-Disposition', 'filename="\xc3\xa9"'];
    const head = await headOf((response) => response.writeHead(200, 'OK', fields).end(BODY));
    expect(head).toContain('\r\nContent-Disposition: filename="\xe9"\r\n');
  });

  test.each(['\xe9', '\xe6\xbc\x8f\xe6\xb4\x9e'])('throws when it holds %j', async (name) => {
    const fields = [...LENGTH, 'Content-Disposition', `filename="${name}"`];
    expect(await headOf((response) => response.writeHead(200, 'OK', fields).end(BODY))).toContain(
      'Invalid character in header content',
    );
  });

  test.each([
    ['before the length', ['Content-Disposition', '\xc3\xa9', ...LENGTH]],
    ['without a length', ['Content-Disposition', '\xc3\xa9', 'Connection', 'close']],
  ])('passes as it is %s', async (_, fields) => {
    const head = await headOf((response) => response.writeHead(200, 'OK', fields).end(BODY));
    expect(head).toContain('\r\nContent-Disposition: \xc3\xa9\r\n');
  });
});

describe('any other field', () => {
  test.each([
    ['end()', true, (response: ServerResponse) => response.end()],
    ['a Buffer', true, (response: ServerResponse) => response.end(BODY)],
    [
      'an empty Buffer',
      true,
      (response: ServerResponse) => response.write(Buffer.alloc(0), () => response.end()),
    ],
    ['flushHeaders()', false, (response: ServerResponse) => (response.flushHeaders(), response.end())],
    ['a string', false, (response: ServerResponse) => response.end('ok')],
  ])('goes out with %s as it is: %j', async (_, kept, send) => {
    const head = await headOf((response) => {
      response.writeHead(200, 'O\xe9', ['X', '\xe9\xff', ...LENGTH]);
      send(response);
    });
    expect(head).toContain(
      kept ? '200 O\xe9\r\nX: \xe9\xff\r\n' : '200 O\xc3\xa9\r\nX: \xc3\xa9\xc3\xbf\r\n',
    );
  });
});
