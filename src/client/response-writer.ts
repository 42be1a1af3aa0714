/** Writes responses to the client, through Node or as bytes, so that each byte of their fields goes out as it is; and tells how they end. */

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
 * Hands the head to Node, which sends it with the first bytes of the body. These must be a Buffer: in front of a string
 * it would be encoded as UTF-8 (test/facts/header-bytes.test.ts). Node adds a Date where there is none (RFC 9110
 * section 6.6.1).
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

/** Shorter than the real time by a margin, so that a client does not send just as the connection is closed. */
const KEEP_ALIVE_MARGIN_MS = 5000;

/**
 * HTTP/1.0 clients are never kept (RFC 9112 section 9.3); others are told a shorter time than they are given.
 *
 * @param keepAliveTimeoutMs null: Node adds the fields that its server stands for
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

/** Sends the head before there is any body. Node's own `flushHeaders()` would encode it as UTF-8. */
export function flushHead(response: ServerResponse): void {
  response.write(NO_BYTES);
}

/**
 * Before the final response is begun. RFC 9110 section 15.2: 1xx goes on, but not to HTTP/1.0, and not 100: that one we
 * have answered ourselves.
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

/** The response to what never became a request, as bytes. */
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

/** Resolves when the part is with the kernel, so that its memory may be used again; false when the client left. */
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
 * The response to a request whose socket Node has handed over, as for an upgrade: written as any other, and the
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
 * Resolves when the response is over: with true when it was sent to the last byte. `left` is called then, too. Node
 * closes a response only once it is its turn on the connection, so the connection is watched as well.
 */
export function responseClosed(response: ServerResponse, left: () => void): Promise<boolean> {
  const { socket } = response.req;
  return new Promise((resolve) => {
    const over = (): void => {
      socket.off('close', over);
      left();
      // What could not be written counts as written for Node, once the socket has failed.
      resolve(response.writableFinished && socket.errored === null);
    };
    response.on('close', over);
    if (socket.destroyed) over();
    else socket.on('close', over);
  });
}

/** How long a half-closed client may be silent before the kernel asks whether it is still there. */
const PROBE_MS = 10_000;

/**
 * A client that closes its side while a stream is under way has left: nothing else would tell until the next event.
 * One that had closed its side before the stream began reads on (RFC 9112 section 9.6); the kernel's probes find out
 * when it is gone. Returns a function that stops watching.
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
