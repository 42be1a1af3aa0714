/** What Node's http.Server does with an Upgrade that is ignored, and with one that has a body. */

import { once } from 'node:events';
import { createServer, IncomingMessage } from 'node:http';
import type { Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { expect, test } from 'vitest';
import { Bare, turns } from '../harness/bare.ts';
import { Client } from '../harness/client.ts';

const OFFER = 'Host: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n';
const NEXT = 'GET /next HTTP/1.1\r\nHost: x\r\n\r\n';

/** The targets of the requests that a server without an `upgrade` listener tells of. */
async function targets(packets: readonly string[]): Promise<string[]> {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(request.url ?? '');
    request.resume();
    response.end();
  });
  await using bare = await Bare.start(server);
  using client = await Client.connect(bare.port);
  for (const packet of packets) {
    await client.send(packet);
    await turns();
  }
  return seen;
}

test('what follows an ignored upgrade in the same packet is lost', async () => {
  const get = `GET /offer HTTP/1.1\r\n${OFFER}\r\n`;
  expect(await targets([get, NEXT])).toEqual(['/offer', '/next']);
  expect(await targets([get + NEXT])).toEqual(['/offer']);
  const post = `POST /offer HTTP/1.1\r\n${OFFER}Content-Length: 5\r\n\r\nhello`;
  expect(await targets([post, NEXT])).toEqual(['/offer', '/next']);
  expect(await targets([post + NEXT])).toEqual(['/offer']);
});

/** What comes with the `upgrade` event of a request whose body has not come yet. */
async function handedOver(prepare: (server: Server) => void): Promise<{ own: boolean; head: string }> {
  const server = createServer();
  prepare(server);
  await using bare = await Bare.start(server);
  using client = await Client.connect(bare.port);
  const upgrade = once(server, 'upgrade');
  await client.send(`POST /offer HTTP/1.1\r\n${OFFER}Content-Length: 5\r\n\r\nhe`);
  const [request, stream, head]: unknown[] = await upgrade;
  if (!(request instanceof IncomingMessage) || !(head instanceof Buffer)) throw new Error('unlike Node');
  return { own: request.socket === stream, head: head.toString() };
}

test('an upgrade with a body is handed over on a stream that is not the socket, on Node 26', async () => {
  const { own } = await handedOver(() => undefined);
  expect(own).toBe(Number(process.versions.node.split('.')[0]) < 26);
});

test('the socket itself, and all that follows the head, is handed over when the parser is told to skip the body', async () => {
  const told = await handedOver((server) => {
    server.on(
      'connection',
      (socket: Duplex & { parser: { onIncoming(this: void, ...all: unknown[]): number } }) => {
        const { parser } = socket;
        const { onIncoming } = parser;
        parser.onIncoming = (...all) => {
          onIncoming(...all);
          return 2;
        };
      },
    );
  });
  expect(told).toEqual({ own: true, head: 'he' });
});
