/** How Node's http.Server closes, times out, and writes a head. */

import { once } from 'node:events';
import { createServer, ServerResponse } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { Bare, signal, turns } from '../harness/bare.ts';
import { Client } from '../harness/client.ts';

const GET = 'GET /a HTTP/1.1\r\nHost: x\r\n\r\n';
const GET_CLOSE = 'GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';

describe("Node's http.Server", () => {
  type HalfOpenServer = Server & { httpAllowHalfOpen?: boolean };

  /** @param prepare sets the server up before it listens */
  async function serving(
    answer: (request: IncomingMessage, response: ServerResponse) => void,
    prepare: (server: HalfOpenServer) => unknown = () => undefined,
  ): Promise<Bare<Server>> {
    const server = createServer({ noDelay: true }, answer);
    prepare(server);
    return await Bare.start(server);
  }

  test.each([
    [true, 'HTTP/1.1 200 OK'],
    [false, ''],
  ])('with httpAllowHalfOpen %s gives a half-closed client the response %j', async (allow, expected) => {
    await using server = await serving(
      (request, response) => {
        request.socket.on('end', () => response.end('late'));
      },
      (one) => {
        one.httpAllowHalfOpen = allow;
      },
    );
    using client = await Client.connect(server.port);
    await client.send(GET_CLOSE);
    client.halfClose();
    expect(await client.end()).toBe('fin');
    expect(client.left.toString().split('\r\n')[0]).toBe(expected);
  });

  /** A client that uploads more than the server reads, and looks at the response only when the server is done with it. */
  async function earlyAnswer(closing: (socket: Socket) => Promise<void>): Promise<number> {
    const done = signal<void>();
    await using server = await serving(
      (request, response) => {
        void closing(request.socket).then(done.resolve);
        response.end(Buffer.alloc(1_000_000, 'x'));
      },
      // Node would write a 400 after the response: its parser sees the FIN, and not the rest of the body.
      (one) => one.on('clientError', () => undefined),
    );
    using client = await Client.connect(server.port);
    client.socket.pause();
    void client.send('POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 1000000\r\n\r\n');
    void client.send(Buffer.alloc(1_000_000));
    client.halfClose();
    await done.promise;
    client.socket.resume();
    await client.end();
    return client.left.length - client.left.indexOf('\r\n\r\n') - 4;
  }

  const TRIES = 5;

  test('closes fully behind `Connection: close`: a client that is still uploading loses its response', async () => {
    const got: number[] = [];
    for (let count = 0; count < TRIES; count += 1) {
      got.push(await earlyAnswer(async (socket) => void (await once(socket, 'close'))));
    }
    expect(got.filter((bytes) => bytes === 1_000_000)).toEqual([]);
  });

  /** Reads on, throws away, and closes after the client's FIN. */
  function discardUntilEnd(socket: Socket): void {
    socket.on('end', () => socket.end());
    socket.resume();
    setImmediate(() => {
      socket.removeAllListeners('data');
      socket.on('data', () => undefined);
    });
  }

  test('calls socket.destroySoon to do so: replaced by reading until the FIN, it loses nothing', async () => {
    const got: number[] = [];
    for (let count = 0; count < TRIES; count += 1) {
      got.push(
        await earlyAnswer(
          (socket) =>
            new Promise<void>((resolve) => {
              socket.destroySoon = () => {
                discardUntilEnd(socket);
                resolve();
              };
            }),
        ),
      );
    }
    expect(got).toEqual(got.map(() => 1_000_000));
  });

  /** What becomes of an upload that nobody has read when its response is over. */
  async function unreadUpload(takeOver: (socket: Socket) => void): Promise<'end' | 'stuck'> {
    const state = { taken: signal<Socket>(), ended: false };
    await using server = await serving((request, response) => {
      const { socket } = request;
      socket.on('end', () => {
        state.ended = true;
      });
      socket.destroySoon = () => {
        takeOver(socket);
        state.taken.resolve(socket);
      };
      // By then the request is full, and its parser has stopped reading.
      void turns().then(() => response.end('early'));
    });
    using client = await Client.connect(server.port);
    const head = 'POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 300000\r\n\r\n';
    void client.send(head + 'x'.repeat(300_000));
    client.halfClose();
    await once(client.socket, 'finish');
    await state.taken.promise;
    await turns();
    return state.ended ? 'end' : 'stuck';
  }

  test("stops the handle under a request that nobody reads: a 'data' listener of ours in the same turn leaves it stopped", async () => {
    const how = await unreadUpload((socket) => {
      socket.removeAllListeners('data');
      socket.on('data', () => undefined);
      socket.resume();
    });
    expect(how).toBe('stuck');
  });

  test("starts it again at resume(): a 'data' listener in the turn after it gets everything", async () => {
    const how = await unreadUpload((socket) => {
      socket.resume();
      setImmediate(() => {
        socket.removeAllListeners('data');
        socket.on('data', () => undefined);
        socket.resume();
      });
    });
    expect(how).toBe('end');
  });

  type Parser = { incoming: unknown; onIncoming: () => number };

  /**
   * What is told of a packet whose first response is the last, on a socket that is not closed then: the requests, the
   * upgrade, and the code of what is thrown out of the end of a response.
   */
  async function behindTheLast(rest: string, whenLast: (parser: Parser) => void): Promise<string[]> {
    const told: string[] = [];
    await using server = await serving(
      (request, response) => {
        told.push(request.url ?? '');
        if (request.url === '/a') response.shouldKeepAlive = false;
        if (request.url === '/due') return;
        Reflect.set(response, 'emit', (...all: [string, ...unknown[]]) => {
          try {
            return ServerResponse.prototype.emit.apply(response, all);
          } catch (error) {
            told.push(error instanceof Error && 'code' in error ? String(error.code) : String(error));
            return true;
          }
        });
        response.end();
      },
      (one) => {
        one.on('upgrade', (request) => told.push(`upgrade ${request.url}`));
        one.on('connection', (socket: Socket & { parser: Parser }) => {
          socket.destroySoon = () => whenLast(socket.parser);
        });
      },
    );
    using client = await Client.connect(server.port);
    await client.send(GET + rest);
    await client.response();
    await turns();
    return told;
  }

  // Node runs what waits for the next tick at each part of a body, in the middle of a packet.
  const DUE = 'POST /due HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx';
  const NEXT = 'GET /next HTTP/1.1\r\nHost: x\r\n\r\n';
  const UPGRADE = 'GET /next HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n';

  test('fails when a request after the last response is answered while an earlier one is due', async () => {
    expect(await behindTheLast(DUE + NEXT, () => undefined)).toEqual([
      '/a',
      '/due',
      '/next',
      'ERR_INTERNAL_ASSERTION',
    ]);
    expect(await behindTheLast(DUE + UPGRADE, () => undefined)).toEqual(['/a', '/due', 'upgrade /next']);
  });

  test.each([NEXT, UPGRADE, 'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n'])(
    'reports no request after the last response when the parser is told to forget it: %j',
    async (next) => {
      const told = await behindTheLast(DUE + next, (parser) => {
        parser.onIncoming = () => {
          parser.incoming = null;
          return 0;
        };
      });
      expect(told).toEqual(['/a', '/due']);
    },
  );

  const CHUNK = '1\r\nx\r\n0\r\n\r\n';

  /** The code of the `clientError`, or the target of the last request that was let through whole. */
  async function verdict(bytes: string, closes = false): Promise<string> {
    const codes = signal<string>();
    await using server = await serving(
      (request, response) => {
        let body = '';
        request.setEncoding('latin1').on('data', (text: string) => {
          body += text;
        });
        request.on('error', () => undefined);
        request.on('end', () => codes.resolve(`whole: ${body}`));
        void response;
      },
      (one) => {
        one.httpAllowHalfOpen = true;
        one.on('clientError', (error: NodeJS.ErrnoException, socket) => {
          codes.resolve(error.code ?? '');
          socket.destroy();
        });
      },
    );
    using client = await Client.connect(server.port);
    await client.send(bytes);
    if (closes) client.halfClose();
    return await codes.promise;
  }

  test.each([
    ['a FIN in the middle of a body', 'HPE_INVALID_EOF_STATE', 'Content-Length: 9\r\n\r\nxx', true],
    [
      'a FIN in the middle of a chunk',
      'HPE_INVALID_EOF_STATE',
      'Transfer-Encoding: chunked\r\n\r\n9\r\nxx',
      true,
    ],
    ['bytes behind `Connection: close`', 'HPE_CLOSED_CONNECTION', 'Connection: close\r\n\r\nGET /', false],
    [
      'Transfer-Encoding and then Content-Length',
      'HPE_INVALID_CONTENT_LENGTH',
      `Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n${CHUNK}`,
      false,
    ],
    [
      'Content-Length and then Transfer-Encoding',
      'HPE_INVALID_TRANSFER_ENCODING',
      `Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNK}`,
      false,
    ],
    [
      'two different Content-Lengths',
      'HPE_UNEXPECTED_CONTENT_LENGTH',
      'Content-Length: 1\r\nContent-Length: 2\r\n\r\nx',
      false,
    ],
    [
      'two equal Content-Lengths',
      'HPE_UNEXPECTED_CONTENT_LENGTH',
      'Content-Length: 1\r\nContent-Length: 1\r\n\r\nx',
      false,
    ],
    [
      'a coding behind chunked',
      'HPE_INVALID_TRANSFER_ENCODING',
      `Transfer-Encoding: chunked, gzip\r\n\r\n${CHUNK}`,
      false,
    ],
    ['two Host fields', 'whole: x', 'Host: y\r\nContent-Length: 1\r\n\r\nx', false],
    ['a coding before chunked', 'whole: x', `Transfer-Encoding: gzip, chunked\r\n\r\n${CHUNK}`, false],
  ])('on %s: %s', async (_name, expected, rest, closes) => {
    expect(await verdict(`POST / HTTP/1.1\r\nHost: x\r\n${rest}`, closes)).toBe(expected);
  });

  test('lets Transfer-Encoding in HTTP/1.0 through', async () => {
    expect(await verdict(`POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNK}`)).toBe('whole: x');
  });

  test('writeHead with a flat array keeps case, order and duplicates; sendDate=false adds no Date', async () => {
    await using server = await serving((_request, response) => {
      response.sendDate = false;
      response.writeHead(299, 'My Reason', [
        'x-B',
        '1',
        'Set-Cookie',
        'a',
        'X-a',
        '2',
        'set-cookie',
        'b',
        'x-B',
        '3',
        'content-LENGTH',
        '0',
      ]);
      response.end();
    });
    using client = await Client.connect(server.port);
    await client.send(GET_CLOSE);
    await client.end();
    expect(client.left.toString('latin1').split('\r\n')).toEqual([
      'HTTP/1.1 299 My Reason',
      'x-B: 1',
      'Set-Cookie: a',
      'X-a: 2',
      'set-cookie: b',
      'x-B: 3',
      'content-LENGTH: 0',
      'Connection: close',
      '',
      '',
    ]);
  });

  /** How many of 1500 fields a request handler gets, or the code of the `clientError`. */
  async function fieldsGiven(maxHeadersCount: number | null): Promise<number | string | undefined> {
    const given = signal<number | string | undefined>();
    await using server = await serving(
      (request) => given.resolve(request.rawHeaders.length / 2),
      (one) => {
        if (maxHeadersCount !== null) one.maxHeadersCount = maxHeadersCount;
        one.on('clientError', (error: NodeJS.ErrnoException) => given.resolve(error.code));
      },
    );
    using client = await Client.connect(server.port);
    await client.send(`GET / HTTP/1.1\r\nHost: x\r\n${'a: b\r\n'.repeat(1499)}\r\n`);
    return await given.promise;
  }

  /** Node 20 drops what is above the number by the batch of 32; later Nodes refuse the request. */
  test.each([
    ['its default, 1000', null, 1000],
    ['100', 100, 100],
  ])(
    'with maxHeadersCount %s drops further fields in silence, or refuses them',
    async (_name, limit, most) => {
      const given = await fieldsGiven(limit);
      if (typeof given === 'number') expect(given).toBeLessThan(most + 32);
      else expect(given).toBe('HPE_HEADER_OVERFLOW');
    },
  );

  test('with maxHeadersCount 0 lets any number of fields through', async () => {
    expect(await fieldsGiven(0)).toBe(1500);
  });

  test("emits 'timeout' for an idle connection, and leaves it open for a listener", async () => {
    const idle = signal<Socket>();
    await using server = await serving(
      (_request, response) => response.end('ok'),
      (one) => {
        one.keepAliveTimeout = 20;
        one.on('timeout', (socket) => idle.resolve(socket));
      },
    );
    using client = await Client.connect(server.port);
    await client.send(GET);
    await client.response();
    const socket = await idle.promise;
    await turns();
    expect(socket.destroyed).toBe(false);
    await client.send(GET);
    expect((await client.response()).status).toBe(200);
  });

  test('closes an idle connection when nobody listens', async () => {
    await using server = await serving(
      (_request, response) => response.end('ok'),
      (one) => {
        one.keepAliveTimeout = 20;
      },
    );
    using client = await Client.connect(server.port);
    await client.send(GET);
    await client.response();
    expect(await client.end()).toBe('fin');
  });
});
