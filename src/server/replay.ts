/**
 * Sends the request of an exchange to the proxy again, like its client would: with that client's address, and no more trust
 * than it had.
 */

import { connect as connectTcp } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { fieldValue, hopByHopNames, withoutFields } from '../http/fields.ts';
import { isForwardedClaim, serializeFields } from '../http/forwarding.ts';
import type { ReplayResult } from '../observe/inspector/api.ts';
import type { ReplayRequest } from '../observe/inspector/repeat.ts';
import type { Entry } from '../observe/inspector/ring.ts';
import type { Inspector } from '../observe/inspector/inspector.ts';
import type { Engine } from './engine.ts';

const BEGIN_TIMEOUT_MS = 5000;
/** Otherwise, a replayed stream would never end. */
const TOTAL_TIMEOUT_MS = 300_000;

export class Replays {
  readonly #inspector: Inspector;
  readonly #engine: Engine;
  readonly #sockets = new Set<Socket>();
  /** The original client of each replay's connection, by the address and port that the proxy sees. */
  readonly #clients = new Map<string, string>();

  constructor(inspector: Inspector, engine: Engine) {
    this.#inspector = inspector;
    this.#engine = engine;
  }

  /** Resolves when the new exchange has begun; its response is read and discarded. Never rejects. */
  send({ begun }: Entry, request: ReplayRequest): Promise<ReplayResult> {
    const { method, url, body } = request;
    const fields = fieldsAgain(request.fields, body, this.#engine.trusts(begun.clientAddress));
    const head = `${method} ${url} HTTP/1.1\r\n${serializeFields(fields)}\r\n`;
    const socket = this.#connect();
    return new Promise((resolve) => {
      let forget = (): void => undefined;
      const settle = (result: ReplayResult): void => {
        clearTimeout(timer);
        forget();
        resolve(result);
      };
      const fail = (why: string): void => {
        settle({ kind: 'failed', detail: `The proxy did not take the request: ${why}.` });
        socket.destroy();
      };
      const timer = setTimeout(() => fail('it did not begin in time'), BEGIN_TIMEOUT_MS);
      socket.on('error', (error) => fail(error.message));
      socket.on('close', () => fail('the connection was closed'));
      socket.once('connect', () => {
        this.#speakFor(begun.clientAddress, socket);
        const clientPort = socket.localPort ?? null;
        forget = this.#inspector.expectReplay({ clientPort, method, url }, begun.id, (id) =>
          settle({ kind: 'begun', id }),
        );
        socket.write(head, 'latin1');
        if (body !== null) socket.write(body);
        // At once, because the proxy would wait for our FIN after its response. Other servers close half-closed connections.
        if (this.#engine.frontend.halfCloses) socket.end();
        else socket.once('end', () => socket.end());
      });
    });
  }

  /** The original client's address; null: the connection is not a replay. */
  clientOf(socket: Socket): string | null {
    if (this.#clients.size === 0) return null;
    return this.#clients.get(endpoint(socket.remoteAddress, socket.remotePort)) ?? null;
  }

  #speakFor(address: string, socket: Socket): void {
    const { localAddress, localPort } = socket;
    // Connections over a unix socket have no address, and are never trusted.
    if (localAddress === undefined || localPort === undefined) return;
    const key = endpoint(localAddress, localPort);
    this.#clients.set(key, address);
    socket.once('close', () => this.#clients.delete(key));
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #connect(): Socket {
    const socket = socketTo(this.#engine.url);
    const total = setTimeout(() => socket.destroy(), TOTAL_TIMEOUT_MS);
    this.#sockets.add(socket);
    socket.on('close', () => {
      clearTimeout(total);
      this.#sockets.delete(socket);
    });
    return socket.resume();
  }
}

function socketTo(url: string): Socket {
  if (url.startsWith('unix:')) return connectTcp({ path: url.slice('unix:'.length), allowHalfOpen: true });
  const { hostname, port, protocol } = new URL(url);
  const bare = hostname.replace(/^\[|\]$/g, '');
  // A wildcard address is reached over loopback.
  const host = bare === '0.0.0.0' ? '127.0.0.1' : bare === '::' ? '::1' : bare;
  const options = { host, port: Number(port), allowHalfOpen: true };
  // We connect to ourselves, so the certificate is ours, whatever it says.
  return protocol === 'https:' ? connectTls({ ...options, rejectUnauthorized: false }) : connectTcp(options);
}

/** IPv4 addresses as such, even from a dual-stack socket. */
function endpoint(address: string | undefined, port: number | undefined): string {
  return `${address?.replace(/^::ffff:(?=\d+\.)/i, '')} ${port}`;
}

/**
 * The original fields, with the framing of this connection. Forwarding fields of an untrusted client were dropped the first
 * time, and are dropped here, because the proxy may trust this machine.
 */
function fieldsAgain(fields: readonly string[], body: Buffer | null, trusted: boolean): string[] {
  const dropped = new Set([...hopByHopNames(fields), 'content-length', 'expect']);
  for (const [at, name] of fields.entries()) {
    const lower = name.toLowerCase();
    if (at % 2 === 0 && !trusted && isForwardedClaim(lower, false)) dropped.add(lower);
  }
  return [
    ...(fieldValue(fields, 'host') === undefined ? ['Host', 'localhost'] : []),
    ...withoutFields(fields, dropped),
    ...(body === null ? [] : ['Content-Length', String(body.length)]),
    'Connection',
    'close',
  ];
}
