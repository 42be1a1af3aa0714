/** Writes responses to the client, through Node or as bytes, without changing a byte of their fields; and reports how they end. */

import { ServerResponse, STATUS_CODES } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { Writable } from 'node:stream';
import type { ProxyError } from '../errors.ts';
import { fieldValue } from '../http/fields.ts';
import { clientFields, lengthLast, serializeFields } from '../http/forwarding.ts';
import { renderProblem } from '../http/problem.ts';
import type { ProblemInput } from '../http/problem.ts';
import type { Request } from '../http/request.ts';
import type { ResponseHead } from '../http/response-head.ts';

/** Status line and fields, one byte a character (latin1). */
export interface HeadToWrite {
  readonly status: number;
  readonly reason: string;
  readonly fields: readonly string[];
}

/**
 * Passes the head to Node, which sends it with the first bytes of the body. These must be a Buffer: Node encodes a head
 * before a string as UTF-8 (test/facts/header-bytes.test.ts). Node adds a Date if there is none (RFC 9110 section 6.6.1).
 *
 * @param connection the fields that concern the connection
 */
export function writeHead(
  response: ServerResponse,
  { status, reason, fields }: HeadToWrite,
  connection: readonly string[],
): void {
  response.writeHead(status, reason, [...lengthLast(fields), ...connection]);
}

const CLOSE: readonly string[] = ['Connection', 'close'];

/** The announced time is shorter than the real one, so that a client does not send just as the connection is closed. */
const KEEP_ALIVE_MARGIN_MS = 5000;

/**
 * Connections of HTTP/1.0 clients are closed (RFC 9112 section 9.3); others are announced a shorter time than the real one.
 *
 * @param keepAliveTimeoutMs null: Node adds the fields from its server's settings
 */
export function connectionFields(
  response: ServerResponse,
  keepAliveTimeoutMs: number | null,
  closing: boolean,
): readonly string[] {
  const { shouldKeepAlive, req } = response;
  if (!shouldKeepAlive || !req.complete || req.httpVersionMinor === 0 || closing) return CLOSE;
  if (keepAliveTimeoutMs === null) return [];
  const seconds = Math.max(1, Math.floor((keepAliveTimeoutMs - KEEP_ALIVE_MARGIN_MS) / 1000));
  return ['Connection', 'keep-alive', 'Keep-Alive', `timeout=${seconds}`];
}

const NO_BYTES: Buffer = Buffer.alloc(0);

/** Sends the head before any of the body. Node's own `flushHeaders()` would encode it as UTF-8. */
export function flushHead(response: ServerResponse): void {
  response.write(NO_BYTES);
}

/**
 * Call before the final response begins. 1xx responses are forwarded (RFC 9110 section 15.2), but not to HTTP/1.0 clients,
 * and not 100, which the proxy sends itself.
 */
export function forwardInterim(
  { socket, headersSent }: ServerResponse,
  { method, minor }: Request,
  { status, reason, fields }: ResponseHead,
): void {
  if (headersSent || socket === null || status === 100 || minor === 0) return;
  const kept = clientFields({ fields, status, method, length: null });
  socket.write(`HTTP/1.1 ${status} ${reason}\r\n${serializeFields(kept)}\r\n`, 'latin1');
}

/** The response to bytes that could not be parsed as a request. */
export function rawRefusal(
  error: ProxyError,
  facts: Omit<ProblemInput, 'error' | 'html' | 'instance'>,
  instance: string,
): Buffer {
  const { fields, body } = renderProblem({ error, html: false, instance, ...facts });
  const head = rawHead({ status: error.status, reason: '', fields });
  return Buffer.concat([Buffer.from(head, 'latin1'), body]);
}

/** Status line and fields, latin1; the connection closes after it. */
function rawHead({ status, reason, fields }: HeadToWrite): string {
  // RFC 9110 section 6.6.1.
  const date = fieldValue(fields, 'date') === undefined ? ['Date', new Date().toUTCString()] : [];
  const fieldLines = serializeFields([...fields, ...date, 'Connection', 'close']);
  return `HTTP/1.1 ${status} ${reason === '' ? (STATUS_CODES[status] ?? '') : reason}\r\n${fieldLines}\r\n`;
}

/** Resolves when the kernel has the part, so that its memory can be reused; false when the client has left. */
export function written(sink: Writable, part: Buffer): Promise<boolean> {
  return new Promise((resolve) => {
    const onClose = (): void => resolve(false);
    sink.once('close', onClose);
    sink.write(part, (error) => {
      sink.off('close', onClose);
      resolve(!error);
    });
  });
}

/**
 * The response to a request whose socket Node has handed over, as for an upgrade. It is written like any other, and the
 * connection lingers after it.
 */
export function responseTo(request: IncomingMessage): ServerResponse {
  const { socket } = request;
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket);
  // As http.Server does after a connection's last response.
  response.on('finish', () => {
    response.detachSocket(socket);
    process.nextTick(() => response.emit('close'));
    socket.destroySoon();
  });
  return response;
}

/**
 * Resolves when the response is closed: with true when it was sent to the last byte. Also calls `onClosed` then. Node
 * closes a pipelined response only when its turn comes, so the connection is watched as well.
 */
export function responseClosed(response: ServerResponse, onClosed: () => void): Promise<boolean> {
  const { socket } = response.req;
  return new Promise((resolve) => {
    const finish = (): void => {
      socket.off('close', finish);
      onClosed();
      // After a socket error, Node counts bytes that could not be written as written.
      resolve(response.writableFinished && socket.errored === null);
    };
    response.on('close', finish);
    if (socket.destroyed) finish();
    else socket.on('close', finish);
  });
}

/** Idle time of a half-closed client after which the kernel sends keep-alive probes. */
const PROBE_MS = 10_000;

/**
 * Calls `left` when a client closes its side during a stream: without this, its departure would be noticed only at the
 * next write. A client that half-closed before the stream began still reads (RFC 9112 section 9.6); the kernel's probes
 * detect when it is gone. Returns a function that stops watching.
 */
export function whenClientLeaves(response: ServerResponse, left: () => void): () => void {
  const { socket } = response.req;
  if (socket.readableEnded) {
    socket.setKeepAlive(true, PROBE_MS);
    return () => undefined;
  }
  socket.once('end', left);
  return () => socket.off('end', left);
}
