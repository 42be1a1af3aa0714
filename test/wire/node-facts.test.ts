/** What this project takes for granted of Node and of http-proxy 1.18.1, held against both, with nothing of ours. */

import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { Agent, createServer, get, request as httpRequest } from 'node:http';
import type { ClientRequest, IncomingMessage, RequestOptions, Server, ServerResponse } from 'node:http';
import { connect, createServer as createNetServer } from 'node:net';
import type { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { promisify } from 'node:util';
import HttpProxy from 'http-proxy';
import { describe, expect, test } from 'vitest';
import type { TestContext } from 'vitest';
import { Bare, signal, turns } from '../helpers/bare.ts';
import { Client, valueOf } from '../helpers/client.ts';
import { selfSigned } from '../helpers/self-signed.ts';
import { Upstream, answering, ok } from '../helpers/upstream.ts';

const GET = 'GET /a HTTP/1.1\r\nHost: x\r\n\r\n';
const GET_CLOSE = 'GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';

/** What Node's http client tells of one GET, in order, until the socket is closed. */
interface Told {
  readonly events: readonly string[];
  readonly body: string;
  readonly complete: boolean | null;
  /** The argument of the socket's `close`. */
  readonly hadError: boolean;
}

/** @param onBody called at the first octets of the body */
async function tell(url: string, onBody: () => void = () => undefined): Promise<Told> {
  const events: string[] = [];
  const closed = signal<boolean>();
  let body = '';
  let incoming: IncomingMessage | null = null;
  const asked = get(url, { agent: new Agent() }, (response) => {
    incoming = response;
    response.setEncoding('latin1').on('data', (text: string) => {
      body += text;
      onBody();
    });
    for (const name of ['aborted', 'end']) response.on(name, () => events.push(`response ${name}`));
    response.on('error', (error: NodeJS.ErrnoException) => events.push(`response error ${error.code}`));
  });
  asked.on('error', (error: NodeJS.ErrnoException) => events.push(`request error ${error.code}`));
  asked.on('socket', (socket) => socket.on('close', (hadError) => closed.resolve(hadError)));
  const hadError = await closed.promise;
  await turns(2);
  return { events, body, complete: completeOf(incoming), hadError };
}

function completeOf(incoming: IncomingMessage | null): boolean | null {
  return incoming === null ? null : incoming.complete;
}

describe("Node's http client", () => {
  test('calls an until-close body complete although it was reset; the request and the socket tell', async () => {
    await using upstream = await Upstream.start(async (connection) => {
      await connection.request();
      await connection.send('HTTP/1.1 200 OK\r\n\r\npart');
    });
    const told = await tell(upstream.url, () => upstream.connections[0]?.reset());
    expect(told).toEqual({
      events: ['request error ECONNRESET', 'response end'],
      body: 'part',
      complete: true,
      hadError: true,
    });
  });

  test('tells of a body cut by FIN on the response only', async () => {
    await using upstream = await Upstream.start(async (connection) => {
      await connection.request();
      await connection.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\npart');
      connection.fin();
    });
    expect(await tell(upstream.url)).toEqual({
      events: ['response aborted', 'response error ECONNRESET'],
      body: 'part',
      complete: false,
      hadError: false,
    });
  });

  test.each([
    ['', 'HPE_INVALID_CONSTANT'],
    ['Connection: close\r\n', 'HPE_CLOSED_CONNECTION'],
  ])('fails on octets behind a whole body (%j: %s)', async (field, code) => {
    await using upstream = await Upstream.start(async (connection) => {
      await connection.request();
      await connection.send(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\n${field}\r\nokMORE`);
      connection.fin();
    });
    expect(await tell(upstream.url)).toEqual({
      events: [`request error ${code}`, 'response end'],
      body: 'ok',
      complete: true,
      hadError: false,
    });
  });

  test('a reset of a reused connection before the first octet: the same server answers on a fresh one', async () => {
    await using upstream = await Upstream.start(async (connection, index) => {
      await connection.request();
      await connection.send(ok('ok'));
      if (index > 0 || (await connection.request()) === null) return;
      connection.reset();
    });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ask = async (): Promise<string> => {
      const request = get(upstream.url, { agent });
      const answered = once(request, 'response').then(async ([response]) => {
        response.resume();
        await once(response, 'end');
        await turns(2);
        return 'answered';
      });
      return await answered.catch(
        (error: NodeJS.ErrnoException) => `${error.code} reused=${request.reusedSocket}`,
      );
    };
    expect([await ask(), await ask(), await ask()]).toEqual([
      'answered',
      'ECONNRESET reused=true',
      'answered',
    ]);
    agent.destroy();
  });
});

describe('a reset behind the last octets', () => {
  const TRIES = 60;
  const BODY = Buffer.alloc(20_000, 'x');

  /** How a socket saw its peer end: the error's code, or at `end` the peer's address. */
  type Seen = { readonly error: string | undefined } | { readonly address: string | undefined };

  /** @param lookFirst asks for the address as soon as it is connected */
  async function seen(port: number, lookFirst: boolean): Promise<Seen> {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    try {
      return await new Promise<Seen>((resolve) => {
        socket.on('connect', () => lookFirst && socket.remoteAddress);
        socket.on('error', (error: NodeJS.ErrnoException) => resolve({ error: error.code }));
        socket.on('end', () => resolve({ address: socket.remoteAddress }));
        socket.resume().write('go');
      });
    } finally {
      socket.destroy();
    }
  }

  async function tries(how: 'fin' | 'reset', lookFirst = false): Promise<Seen[]> {
    await using upstream = await Upstream.start(async (connection) => {
      await connection.body(2);
      await connection.send(BODY);
      connection[how]();
    });
    const all: Seen[] = [];
    for (let count = 0; count < TRIES; count += 1) all.push(await seen(upstream.port, lookFirst));
    return all;
  }

  const reset = (one: Seen): boolean =>
    'error' in one ? one.error === 'ECONNRESET' : one.address === undefined;

  /** The kernel's memory of a peer that has reset was measured on Linux only. */
  const onLinux = test.skipIf(process.platform !== 'linux');

  onLinux("is an error, or an 'end' inside which the socket has no remoteAddress", async () => {
    const all = await tries('reset');
    expect(all.filter((one) => !reset(one))).toEqual([]);
  });

  const [major = 0, minor = 0] = process.versions.uv.split('.').map(Number);

  test.skipIf(process.platform !== 'linux' || (major === 1 && minor < 52))(
    'is always an error from libuv 1.52 on',
    async () => {
      const all = await tries('reset');
      expect(all.filter((one) => !('error' in one) || one.error !== 'ECONNRESET')).toEqual([]);
    },
  );

  onLinux('an orderly end has a remoteAddress, every time', async () => {
    const all = await tries('fin');
    expect(all.filter((one) => !('address' in one) || one.address !== '127.0.0.1')).toEqual([]);
  });

  onLinux('nobody may have asked for the address before: then it is there in any case', async () => {
    const ends = (await tries('reset', true)).filter((one) => 'address' in one);
    expect(ends.filter((one) => one.address !== '127.0.0.1')).toEqual([]);
  });
});

describe('onread', () => {
  const certificate = selfSigned();

  type Connect = (port: number, onread: OnRead) => Socket;
  interface OnRead {
    buffer(): Uint8Array;
    callback(count: number, buffer: Uint8Array): boolean;
  }

  const overTcp: Connect = (port, onread) => connect({ port, host: '127.0.0.1', onread });
  const overTls: Connect = (port, onread) => {
    const options = { port, host: '127.0.0.1', onread, rejectUnauthorized: false };
    return connectTls(options);
  };

  async function serving(tls: boolean, serve: (socket: Socket) => void, context: TestContext) {
    if (!tls) return await Bare.start(createNetServer(serve));
    if (certificate === null) return context.skip('needs the openssl command');
    return await Bare.start(createTlsServer({ ...certificate }, serve));
  }

  const both = test.for([
    ['net.connect', false, overTcp],
    ['tls.connect', true, overTls],
  ] as const);

  both('of %s reads into the buffer named last', async ([_name, tls, open], context) => {
    let serverSide: Socket | null = null;
    await using server = await serving(tls, (socket) => (serverSide = socket).write('first'), context);
    const named: Uint8Array[] = [];
    const reads: string[] = [];
    const socket = open(server.port, {
      buffer: () => {
        const buffer = Buffer.alloc(8, '.');
        named.push(buffer);
        return buffer;
      },
      callback: (count, buffer) => {
        reads.push(`${named.indexOf(buffer)} of ${named.length}: ${count}`);
        if (reads.length === 1) serverSide?.end('second');
        return true;
      },
    });
    await once(socket, 'end');
    expect(reads).toEqual(['0 of 1: 5', '1 of 2: 6']);
    expect(named.map((buffer) => Buffer.from(buffer).toString())).toEqual([
      'first...',
      'second..',
      '........',
    ]);
  });

  both('of %s pauses at false, until resume()', async ([_name, tls, open], context) => {
    const body = Buffer.alloc(8_000_000, 'x');
    await using server = await serving(tls, (socket) => socket.end(body), context);
    const buffer = Buffer.alloc(64 * 1024);
    const paused = signal<void>();
    let bytes = 0;
    let go = false;
    const socket = open(server.port, {
      buffer: () => buffer,
      callback: (count) => {
        bytes += count;
        paused.resolve();
        return go;
      },
    });
    await paused.promise;
    await turns();
    const bytesWhilePaused = bytes;
    go = true;
    socket.resume();
    await once(socket, 'end');
    // One read of the kernel's, which over TLS may hold several records.
    expect(bytesWhilePaused).toBeLessThanOrEqual(64 * 1024);
    expect(bytes).toBe(body.length);
  });

  test.for([
    ['net.connect stops at once', false, overTcp, ['0123']],
    ['tls.connect goes on with what is deciphered already', true, overTls, ['0123', '4567', '89']],
  ] as const)('of %s at false', async ([_name, tls, open, expected], context) => {
    await using server = await serving(tls, (socket) => socket.write('0123456789'), context);
    const buffer = Buffer.alloc(4);
    const reads: string[] = [];
    const paused = signal<void>();
    const socket = open(server.port, {
      buffer: () => buffer,
      callback: (count) => {
        reads.push(buffer.toString('latin1', 0, count));
        paused.resolve();
        return false;
      },
    });
    await paused.promise;
    await turns();
    expect(reads).toEqual(expected);
    socket.destroy();
  });
});

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
  ])('with httpAllowHalfOpen %s gives a half-closed client the answer %j', async (allow, expected) => {
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

  /** A client that uploads more than the server reads, and looks at the answer only when the server is done with it. */
  async function earlyAnswer(closing: (socket: Socket) => Promise<void>): Promise<number> {
    const done = signal<void>();
    await using server = await serving(
      (request, response) => {
        void closing(request.socket).then(done.resolve);
        response.end(Buffer.alloc(1_000_000, 'x'));
      },
      // Node would write a 400 behind the answer: its parser sees the FIN, and not the rest of the body.
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

  test('closes fully behind `Connection: close`: a client that is still uploading loses its answer', async () => {
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

  /** What becomes of an upload that nobody has read when its answer is over. */
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

  const CHUNK = '1\r\nx\r\n0\r\n\r\n';

  /** The code of the `clientError`, or the target of the last request that was let through whole. */
  async function verdict(octets: string, closes = false): Promise<string> {
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
    await client.send(octets);
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
    ['octets behind `Connection: close`', 'HPE_CLOSED_CONNECTION', 'Connection: close\r\n\r\nGET /', false],
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

describe("a socket's timeout", () => {
  const TIMEOUT_MS = 400;
  const READ_BYTES = 2_000_000;

  /** Reads on until so many octets have come. */
  async function readSome(client: Socket, bytes: number): Promise<void> {
    const enough = client.bytesRead + bytes;
    client.resume();
    while (client.bytesRead < enough) await once(client, 'data');
    client.pause();
  }

  test('is put off while one large write makes progress, and comes when the reader stops', async () => {
    const timedOut = signal<'timed out'>();
    await using server = await Bare.start(
      createNetServer((socket) => {
        socket.setTimeout(TIMEOUT_MS, () => timedOut.resolve('timed out'));
        socket.write(Buffer.alloc(100_000_000));
      }),
    );
    const client = connect({ port: server.port, host: '127.0.0.1' });
    client.on('data', () => undefined).on('error', () => undefined);
    const slowly = async (): Promise<string> => {
      // The pace of the reader: well below the timeout, for three times the timeout.
      for (let count = 0; count < 24; count += 1) {
        await readSome(client, READ_BYTES);
        await pause(TIMEOUT_MS / 8);
      }
      return 'read for long';
    };
    expect(await Promise.race([slowly(), timedOut.promise])).toBe('read for long');
    expect(await timedOut.promise).toBe('timed out');
    client.destroy();
  });
});

/** Gives every request one connected socket, and says what goes out as the request target. */
class OneSocketAgent extends Agent {
  readonly #socket: Socket;
  readonly #path: string | null;

  constructor(socket: Socket, path: string | null = null) {
    super({ keepAlive: false });
    this.#socket = socket;
    this.#path = path;
  }

  override createConnection(): Socket {
    return this.#socket;
  }

  /** Node calls it between making a request and writing its head; its types do not know it. */
  addRequest(request: ClientRequest, options: RequestOptions): void {
    if (this.#path !== null) request.path = this.#path;
    const base: unknown = Reflect.get(Agent.prototype, 'addRequest');
    if (typeof base !== 'function') throw new Error('Agent has no addRequest');
    Reflect.apply(base, this, [request, options]);
  }
}

async function connected(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' });
  await once(socket, 'connect');
  return socket;
}

describe('an agent', () => {
  test('may hand http.request a socket that is connected already, and its addRequest sets the path', async () => {
    await using upstream = await Upstream.start(answering(ok('ok')));
    const agent = new OneSocketAgent(await connected(upstream.port), '/set//here');
    const request = httpRequest({ agent, path: '/asked', headers: { Host: 'x' } }).end();
    const [response] = await once(request, 'response');
    expect(response.statusCode).toBe(200);
    expect(upstream.requests.map(({ method, target }) => [method, target])).toEqual([['GET', '/set//here']]);
    expect(upstream.connections.length).toBe(1);
    request.destroy();
  });
});

describe('http-proxy 1.18.1', () => {
  /** What it tells of its exchanges, in order. */
  function watched(options: HttpProxy.ServerOptions): { proxy: HttpProxy; events: string[] } {
    const proxy = HttpProxy.createProxyServer(options);
    const events: string[] = [];
    proxy.on('proxyReq', () => events.push('proxyReq'));
    proxy.on('proxyRes', () => events.push('proxyRes'));
    proxy.on('error', (error: NodeJS.ErrnoException) => events.push(`error ${error.code}`));
    proxy.on('econnreset', () => events.push('econnreset'));
    proxy.on('end', () => events.push('end'));
    return { proxy, events };
  }

  type Front = (request: IncomingMessage, response: ServerResponse) => void;

  const fronting = async (front: Front): Promise<Bare<Server>> => await Bare.start(createServer(front));

  const PART = 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\npart';

  test('says nothing of a body that a FIN cut, and leaves the client hanging', async () => {
    await using upstream = await Upstream.start(async (connection) => {
      await connection.request();
      await connection.send(PART);
      connection.fin();
    });
    const { proxy, events } = watched({ target: upstream.url });
    const over = signal<ServerResponse>();
    proxy.on('proxyRes', (incoming, _request, response) =>
      incoming.on('close', () => over.resolve(response)),
    );
    await using front = await fronting((request, response) => proxy.web(request, response));
    using client = await Client.connect(front.port);
    await client.send(GET);
    const response = await over.promise;
    await turns();
    expect(events).toEqual(['proxyReq', 'proxyRes']);
    expect([response.writableEnded, response.destroyed, client.ended]).toEqual([false, false, null]);
  });

  test('tells of a reset in the middle of a body after proxyRes', async () => {
    await using upstream = await Upstream.start(async (connection) => {
      await connection.request();
      await connection.send(PART);
    });
    const { proxy, events } = watched({ target: upstream.url });
    const told = signal<void>();
    proxy.on('error', () => told.resolve());
    proxy.on('proxyRes', (incoming) => incoming.on('data', () => upstream.connections[0]?.reset()));
    await using front = await fronting((request, response) => proxy.web(request, response));
    using client = await Client.connect(front.port);
    await client.send(GET);
    await told.promise;
    expect(events).toEqual(['proxyReq', 'proxyRes', 'error ECONNRESET']);
  });

  test('does not notice a client that leaves when its request is read', async () => {
    await using upstream = await Upstream.start(async (connection) => void (await connection.request()));
    const { proxy, events } = watched({ target: upstream.url });
    const seen: string[] = [];
    const closed = signal<void>();
    await using front = await fronting((request, response) => {
      request.on('aborted', () => seen.push('request aborted'));
      response.on('close', () => seen.push('response close'));
      response.on('close', () => closed.resolve());
      proxy.web(request, response);
    });
    const client = await Client.connect(front.port);
    await client.send(GET);
    await upstream.connections[0]?.request();
    await turns();
    client.socket.destroy();
    await closed.promise;
    await turns();
    expect(seen).toEqual(['response close']);
    expect(events).toEqual(['proxyReq']);
    expect(upstream.connections[0]?.ended).toBe(null);
  });

  test('does not emit proxyReq for a request with Expect', async () => {
    await using upstream = await Upstream.start(answering(ok('ok'), 2));
    const { proxy, events } = watched({ target: upstream.url });
    await using front = await fronting((request, response) => proxy.web(request, response));
    using client = await Client.connect(front.port);
    await client.send('POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nab');
    await client.until('200 OK');
    expect(events).toEqual(['proxyRes', 'end']);
  });

  test('leaves two listeners on each request', async () => {
    await using upstream = await Upstream.start(answering(ok('ok')));
    const { proxy } = watched({ target: upstream.url });
    const listeners = (request: IncomingMessage): number[] =>
      ['aborted', 'error'].map((name) => request.listenerCount(name));
    const counts: number[][] = [];
    await using front = await fronting((request, response) => {
      counts.push(listeners(request));
      proxy.once('end', () => counts.push(listeners(request)));
      proxy.web(request, response);
    });
    using client = await Client.connect(front.port);
    await client.send(GET);
    await client.response();
    await turns(2);
    expect(counts).toEqual([
      [0, 0],
      [1, 1],
    ]);
  });

  test.each(['DELETE', 'OPTIONS'])(
    'sends a chunked %s with Content-Length 0 and its body behind it',
    async (method) => {
      await using upstream = await Upstream.start(answering(ok('ok'), 5));
      const { proxy } = watched({ target: upstream.url });
      await using front = await fronting((request, response) => proxy.web(request, response));
      using client = await Client.connect(front.port);
      await client.send(
        `${method} / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
      );
      await client.response();
      const fields = upstream.requests[0]?.fields ?? [];
      expect([valueOf(fields, 'content-length'), valueOf(fields, 'transfer-encoding')]).toEqual([
        '0',
        undefined,
      ]);
      expect(upstream.connections[0]?.received.toString().split('\r\n\r\n')[1]).toBe('hello');
    },
  );

  test('sends the stream `buffer` as the body; flushHeaders() sends the head before it', async () => {
    await using upstream = await Upstream.start(answering(ok('ok'), 4));
    const { proxy } = watched({ target: upstream.url });
    const held = new PassThrough();
    proxy.on('proxyReq', (request) => request.flushHeaders());
    await using front = await fronting((request, response) => proxy.web(request, response, { buffer: held }));
    using client = await Client.connect(front.port);
    await client.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nsent');
    while (upstream.requests.length === 0) await turns(1);
    await turns();
    expect(upstream.connections[0]?.received.toString().endsWith('\r\n\r\n')).toBe(true);
    held.end('held');
    await client.response();
    expect(upstream.connections[0]?.received.toString().split('\r\n\r\n')[1]).toBe('held');
  });

  test.each([
    ['joins double slashes in the path', null, '/a/b?c=//d'],
    ["sends what the agent's addRequest sets", '/a//b?c=//d', '/a//b?c=//d'],
  ])('%s', async (_name, path, expected) => {
    await using upstream = await Upstream.start(answering(ok('ok')));
    const { proxy } = watched({ target: upstream.url });
    const agent = new OneSocketAgent(await connected(upstream.port), path);
    await using front = await fronting((request, response) => proxy.web(request, response, { agent }));
    using client = await Client.connect(front.port);
    await client.send('GET /a//b?c=//d HTTP/1.1\r\nHost: x\r\n\r\n');
    await client.response();
    expect(upstream.requests[0]?.target).toBe(expected);
  });

  /** A front that passes every upgrade on. */
  async function upgrading(upstream: Upstream): Promise<Bare<Server>> {
    const { proxy } = watched({ target: upstream.url });
    const server = createServer();
    server.on('upgrade', (request, socket, head) => proxy.ws(request, socket, head));
    return await Bare.start(server);
  }

  const upgradeTo = (protocol: string): string =>
    `GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`;

  test('writes a chunked answer to an upgrade under its framing, but without the chunks', async () => {
    await using upstream = await Upstream.start(async (connection) => {
      await connection.request();
      await connection.send('HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n');
    });
    await using front = await upgrading(upstream);
    using client = await Client.connect(front.port);
    await client.send(upgradeTo('websocket'));
    await client.end();
    expect(client.left.toString()).toBe('HTTP/1.1 403 No\r\ntransfer-encoding: chunked\r\n\r\nno');
  });

  test('closes on any upgrade that is not to websocket, without asking the upstream', async () => {
    await using upstream = await Upstream.start(() => undefined);
    await using front = await upgrading(upstream);
    using client = await Client.connect(front.port);
    await client.send(upgradeTo('tls/1.0'));
    await client.end();
    expect(client.left.toString()).toBe('');
    expect(upstream.connections.length).toBe(0);
  });
});

describe('util._extend, which http-proxy takes when it is loaded', () => {
  /** Passes one request through http-proxy and prints the answer; `_extend` is Node's own, or not while it is loaded. */
  const script = (replaced: boolean): string => `
    const util = require('node:util');
    const http = require('node:http');
    const original = util._extend;
    if (${replaced}) util._extend = Object.assign;
    const { createProxyServer } = require('http-proxy');
    util._extend = original;
    const upstream = http.createServer((request, response) => response.end('answered')).listen(0, '127.0.0.1', () => {
      const proxy = createProxyServer({ target: { host: '127.0.0.1', port: upstream.address().port } });
      const front = http.createServer((request, response) => proxy.web(request, response)).listen(0, '127.0.0.1', () => {
        http.get({ host: '127.0.0.1', port: front.address().port }, (response) => {
          response.on('data', (octets) => console.log(octets.toString())).on('end', () => process.exit());
        });
      });
    });
  `;

  const more = (process.env['LASTBYTE_NODES'] ?? '').split(':').filter((path) => path !== '');

  const run = async (node: string, ...args: readonly string[]): Promise<{ stdout: string; stderr: string }> =>
    await promisify(execFile)(node, args, { cwd: import.meta.dirname });

  test.each([process.execPath, ...more])(
    'warns of DEP0060 from Node 22 on, unless it was replaced then (%s)',
    async (node) => {
      const { stdout: version } = await run(node, '--print', 'process.versions.node');
      const bare = await run(node, '--trace-deprecation', '--eval', script(false));
      const replaced = await run(node, '--trace-deprecation', '--eval', script(true));
      expect([bare.stdout, replaced.stdout]).toEqual(['answered\n', 'answered\n']);
      expect(bare.stderr.includes('DEP0060')).toBe(Number.parseInt(version, 10) >= 22);
      expect(replaced.stderr).not.toContain('DEP0060');
    },
  );
});
