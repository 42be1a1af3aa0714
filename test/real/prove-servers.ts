/** Owns what every real server is put to behind lastbyte: the fault table's requests, and bodies that a view reads. */

import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createProxy } from '../../src/server/proxy.ts';
import { Client } from '../harness/client.ts';
import { frontOf, PATIENT } from './front.ts';
import { numberedBody } from './numbered-body.ts';
import type { ServerName } from './servers.ts';
import { exchange, wireRequest, type Upload, type WireResponse } from './wire-request.ts';

const ANSWER = numberedBody(5_000_000);
const PATH = `/bytes/${ANSWER.length}`;
/** More than a server takes into its read buffer with the head, so that most of it stays unread in the kernel. */
const UPLOAD = Buffer.alloc(100_000, 'u');
const UPLOAD_SHA256 = createHash('sha256').update(UPLOAD).digest('hex');
const TRIES = 2;
/** Each on a proxy of its own that has learned nothing. */
const FIRST_TRIES = 10;

const UPLOADS: readonly Upload[] = [
  { kind: 'none' },
  { kind: 'length', body: UPLOAD },
  { kind: 'chunked', body: UPLOAD },
];
const UPLOAD_WORDS = { none: 'GET', length: 'POST with a length', chunked: 'chunked POST' } as const;
const READERS = ['fast', 'slow'] as const;

const CASES = UPLOADS.flatMap((upload) =>
  READERS.map((reader) => ({ upload, reader, what: UPLOAD_WORDS[upload.kind] })),
);

const expectWhole = (answer: WireResponse): void => {
  expect({ status: answer.status, end: answer.end, bytes: answer.body.length }).toEqual({
    status: 200,
    end: 'whole',
    bytes: ANSWER.length,
  });
  expect(answer.body.equals(ANSWER)).toBe(true);
};

const bytesOf = (answer: WireResponse): number => answer.head.length + 4 + answer.body.length;

/** Declares the tests of these servers. */
export function proveServers(names: readonly ServerName[]): void {
  describe.each(names)('in front of %s, which leaves the request body unread,', (name) => {
    const front = frontOf(name);

    test.for(CASES)(
      'each $what with Connection: close gets 5 MB whole by a $reader reader, then FIN and not one byte more',
      async ({ upload, reader }, context) => {
        const { port } = front(context);
        for (let tried = 0; tried < TRIES; tried += 1) {
          using client = await Client.connect(port);
          const answer = await exchange(client, { path: PATH, upload, connection: 'close', reader });
          expectWhole(answer);
          client.halfClose();
          expect(await client.end()).toBe('fin');
          expect(client.socket.bytesRead).toBe(bytesOf(answer));
        }
      },
    );

    test.for(CASES)(
      'several $what on one kept connection get 5 MB whole by a $reader reader',
      async ({ upload, reader }, context) => {
        const { port } = front(context);
        using client = await Client.connect(port);
        let expectedBytes = 0;
        for (let tried = 0; tried < TRIES; tried += 1) {
          const answer = await exchange(client, { path: PATH, upload, connection: 'keep-alive', reader });
          expectWhole(answer);
          expectedBytes += bytesOf(answer);
        }
        client.halfClose();
        expect(await client.end()).toBe('fin');
        expect(client.socket.bytesRead).toBe(expectedBytes);
      },
    );

    test('the first POST to a view after a GET to it, when little is known of the server, gets 5 MB whole', async (context) => {
      const { server } = front(context);
      const upload: Upload = { kind: 'length', body: UPLOAD };
      for (let tried = 0; tried < FIRST_TRIES; tried += 1) {
        await using proxy = createProxy({ target: server.url, port: 0, admin: false, ...PATIENT });
        await proxy.start();
        const port = Number(new URL(proxy.url).port);
        const request = { path: PATH, connection: 'close', reader: 'fast' } as const;
        expectWhole(await wireRequest(port, { ...request, upload: { kind: 'none' } }));
        expectWhole(await wireRequest(port, { ...request, upload }));
      }
    });

    test.for(UPLOADS.filter(({ kind }) => kind !== 'none'))(
      'a body sent with framing by $kind reaches a view that reads it, to the last byte',
      async (upload, context) => {
        const { port } = front(context);
        for (const connection of ['close', 'keep-alive'] as const) {
          const answer = await wireRequest(port, { path: '/echo', upload, connection, reader: 'fast' });
          expect({ status: answer.status, end: answer.end }).toEqual({ status: 200, end: 'whole' });
          expect(JSON.parse(answer.body.toString())).toEqual({
            sha256: UPLOAD_SHA256,
            length: UPLOAD.length,
          });
        }
      },
    );
  });
}
