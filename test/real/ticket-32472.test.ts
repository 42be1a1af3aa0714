// Django ticket 32472, "runserver prematurely closes connection for large response body", case by case.

import { once } from 'node:events';
import http from 'node:http';
import { buffer } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { Client } from '../harness/client.ts';
import { frontOf } from './front.ts';
import { need, whyNotLinux } from '../harness/need.ts';
import { numberedBody } from './numbered-body.ts';
import { exchange, wireRequest, type Upload, type WireResponse } from './wire-request.ts';

/** Small enough to be a form, large enough not to fit into the server's read buffer together with the head. */
const UPLOAD = Buffer.alloc(20_000, 'f');
const UPLOADS: readonly Upload[] = [
  { kind: 'none' },
  { kind: 'length', body: UPLOAD },
  { kind: 'chunked', body: UPLOAD },
];
const READERS = ['fast', 'slow'] as const;
const SIZES = [50_000, 5_000_000] as const;
const TRIES = 10;

const CASES = SIZES.flatMap((bytes) =>
  UPLOADS.flatMap((upload) => READERS.map((reader) => ({ bytes, upload, reader, kind: upload.kind }))),
);

const expectWholeJson = (answer: WireResponse, aboutBytes: number): void => {
  expect({ status: answer.status, end: answer.end }).toEqual({ status: 200, end: 'whole' });
  expectJsonOf(answer.body, aboutBytes);
};

const expectJsonOf = (body: Buffer, aboutBytes: number): void => {
  const { count, rows }: { count: number; rows: readonly unknown[] } = JSON.parse(body.toString());
  expect(rows).toHaveLength(count);
  expect(count).toBe(Math.floor(aboutBytes / 88));
};

/** Node's client without Content-Length: it sends the body chunked, which is what runserver cannot read. */
const postWithoutLength = async (url: string, agent: http.Agent | false): Promise<Buffer> => {
  const request = http.request(url, { method: 'POST', agent });
  request.write(UPLOAD.subarray(0, 100));
  request.end(UPLOAD.subarray(100));
  const [response]: http.IncomingMessage[] = await once(request, 'response');
  if (response === undefined) throw new Error('There is no response');
  expect(response.statusCode).toBe(200);
  const body = await buffer(response);
  expect(body.length).toBe(Number(response.headers['content-length']));
  return body;
};

describe('ticket 32472, against the real runserver', () => {
  const front = frontOf('Django runserver');

  test('asked directly, it cuts the response: the fault is there to be cured', async (context) => {
    // Only Linux discards what is unsent on a reset.
    need(context, whyNotLinux());
    const { server } = front(context);
    const ends = new Set<string>();
    for (let tried = 0; tried < TRIES; tried += 1) {
      const upload: Upload = { kind: 'chunked', body: Buffer.alloc(100_000, 'f') };
      const request = { path: '/json/5000000', upload, connection: 'close', reader: 'slow' } as const;
      ends.add((await wireRequest(server.port, request)).end);
    }
    expect(ends).toContain('reset');
  });

  test.for(CASES)(
    'a $bytes-byte JSON answer to Connection: close, request body: $kind, $reader reader, is whole each time',
    async ({ bytes, upload, reader }, context) => {
      const { port } = front(context);
      for (let tried = 0; tried < TRIES; tried += 1) {
        const request = { path: `/json/${bytes}`, upload, connection: 'close', reader } as const;
        expectWholeJson(await wireRequest(port, request), bytes);
      }
    },
  );

  test.for(READERS)(
    'several requests on one connection, the last with Connection: close and a large response, %s reader, are whole',
    async (reader, context) => {
      const { port } = front(context);
      using client = await Client.connect(port);
      for (const upload of UPLOADS) {
        const small = { path: '/json/50000', upload, connection: 'keep-alive', reader } as const;
        expectWholeJson(await exchange(client, small), 50_000);
      }
      const upload: Upload = { kind: 'chunked', body: UPLOAD };
      const last = { path: '/json/5000000', upload, connection: 'close', reader } as const;
      expectWholeJson(await exchange(client, last), 5_000_000);
      client.halfClose();
      expect(await client.end()).toBe('fin');
    },
  );

  test.for(SIZES)(
    'a Node client that posts without a length gets %d bytes of JSON whole',
    async (bytes, context) => {
      const { url } = front(context);
      for (let tried = 0; tried < TRIES; tried += 1) {
        expectJsonOf(await postWithoutLength(`${url}/json/${bytes}`, false), bytes);
      }
    },
  );

  test('a Node client with a keep-alive agent that posts without a length gets each response whole', async (context) => {
    const { url } = front(context);
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    try {
      for (let tried = 0; tried < TRIES; tried += 1) {
        expectJsonOf(await postWithoutLength(`${url}/json/5000000`, agent), 5_000_000);
      }
    } finally {
      agent.destroy();
    }
  });

  test('twenty clients at once that post without a length get each response whole', async (context) => {
    const { port } = front(context);
    const whole = numberedBody(1_000_000);
    const upload: Upload = { kind: 'chunked', body: UPLOAD };
    const request = { path: '/bytes/1000000', upload, connection: 'close', reader: 'slow' } as const;
    const answers = await Promise.all(Array.from({ length: 20 }, () => wireRequest(port, request)));
    for (const answer of answers) {
      expect({ status: answer.status, end: answer.end }).toEqual({ status: 200, end: 'whole' });
      expect(answer.body.equals(whole)).toBe(true);
    }
  });
});
