// How an upstream that speaks TLS ends a response: with a close_notify, or cut off (RFC 9112 section 9.8).

import { once } from 'node:events';
import { connect, createServer as createTcpServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { SecureVersion } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { Client } from '../harness/client.ts';
import { needForEach, whyNo } from '../harness/need.ts';
import { TestProxy } from '../harness/proxy.ts';
import { selfSigned } from '../harness/self-signed.ts';

const certificate = selfSigned();
const VERSIONS: readonly SecureVersion[] = ['TLSv1.2', 'TLSv1.3'];
const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';

/** How the TCP connection ends under TLS: after a close_notify, or without one. */
type Ending = 'close_notify' | 'fin' | 'rst';

class TlsUpstream implements AsyncDisposable {
  readonly #sockets = new Set<Socket>();
  readonly #tls;
  /** Connections come one by one here. In a handshake nothing may be held back. */
  #answering = false;
  readonly #front;

  private constructor(version: SecureVersion, answer: Buffer, ending: Ending) {
    this.#tls = createTlsServer({ ...certificate, minVersion: version, maxVersion: version }, (socket) => {
      this.#keep(socket);
      socket.once('data', () => {
        this.#answering = true;
        socket.end(answer);
      });
    });
    // Node's TLS sockets never close without a close_notify: a TCP relay before them takes it away.
    this.#front = createTcpServer({ allowHalfOpen: true }, (carrier) => {
      const inner = connect({ port: portOf(this.#tls), host: '127.0.0.1', allowHalfOpen: true });
      this.#keep(carrier);
      this.#keep(inner);
      carrier.pipe(inner);
      const records = new LastRecordHeldBack();
      this.#answering = false;
      inner.on('data', (received: Buffer) =>
        carrier.write(this.#answering ? records.take(received) : received),
      );
      inner.on('end', () => {
        if (ending === 'close_notify') carrier.write(records.held);
        if (ending === 'rst') carrier.resetAndDestroy();
        else carrier.end();
      });
    });
  }

  static async start(version: SecureVersion, answer: Buffer, ending: Ending): Promise<TlsUpstream> {
    const upstream = new TlsUpstream(version, answer, ending);
    for (const server of [upstream.#tls, upstream.#front]) {
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
    }
    return upstream;
  }

  get url(): string {
    return `https://127.0.0.1:${portOf(this.#front)}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    for (const server of [this.#front, this.#tls]) {
      server.close();
      await once(server, 'close');
    }
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
  }
}

/** Passes on what came, but for the last whole TLS record and what lies after it. */
class LastRecordHeldBack {
  held: Buffer = Buffer.alloc(0);

  take(received: Buffer): Buffer {
    const all = Buffer.concat([this.held, received]);
    let last = 0;
    for (let at = 0; at + HEADER_BYTES <= all.length; at += HEADER_BYTES + all.readUInt16BE(at + 3))
      last = at;
    this.held = all.subarray(last);
    return all.subarray(0, last);
  }
}

/** Type, version and length of a TLS record (RFC 8446 section 5.1). */
const HEADER_BYTES = 5;

function portOf(server: { address(): AddressInfo | string | null }): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

const UNTIL_CLOSE = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n';
const TRIES = 10;

const untilClose = (bytes: number): Buffer =>
  Buffer.concat([Buffer.from(UNTIL_CLOSE), Buffer.alloc(bytes, 'x')]);

describe.each(VERSIONS)('a response over %s that ends with its connection', (version) => {
  needForEach(whyNo('openssl'));
  // Large bodies go through a file, so that reading stops and goes on in between.
  const options = { insecure: true, retries: 0, memoryPerBody: '64kb' };

  test.each([0, 10, 3_000_000])('and a close_notify is delivered: %i bytes', async (bytes) => {
    await using upstream = await TlsUpstream.start(version, untilClose(bytes), 'close_notify');
    await using proxy = await TestProxy.start(upstream.url, options);
    for (let index = 0; index < TRIES; index += 1) {
      using client = await Client.connect(proxy.port);
      await client.send(GET);
      const { status, body } = await client.response();
      expect([status, body.length]).toEqual([200, bytes]);
      expect((await proxy.record(index)).verdict).toBe('unverifiable');
    }
  });

  test.each([0, 10, 3_000_000])('and a bare FIN is truncated: after %i bytes', async (bytes) => {
    await using upstream = await TlsUpstream.start(version, untilClose(bytes), 'fin');
    await using proxy = await TestProxy.start(upstream.url, options);
    for (let index = 0; index < TRIES; index += 1) {
      using client = await Client.connect(proxy.port);
      await client.send(GET);
      expect((await client.response()).status).toBe(502);
      const { verdict, sentence } = await proxy.record(index);
      expect(verdict).toBe('truncated');
      expect(sentence).toContain('close_notify');
    }
  });

  test('and a reset is not delivered', async () => {
    await using upstream = await TlsUpstream.start(version, untilClose(10), 'rst');
    await using proxy = await TestProxy.start(upstream.url, options);
    for (let index = 0; index < TRIES; index += 1) {
      using client = await Client.connect(proxy.port);
      await client.send(GET);
      expect((await client.response()).status).toBe(502);
    }
  });

  test('with a length is whole without a close_notify', async () => {
    const answer = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwhole');
    await using upstream = await TlsUpstream.start(version, answer, 'fin');
    await using proxy = await TestProxy.start(upstream.url, options);
    using client = await Client.connect(proxy.port);
    await client.send(GET);
    expect((await client.response()).body.toString()).toBe('whole');
  });
});
