/** One request by a raw socket, written and read as told, and everything that came back: no client library's mercy. */

import net from 'node:net';

/** How the request's body is framed; `none` is a GET. */
export type Upload =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly body: Buffer }
  | { readonly kind: 'chunked'; readonly body: Buffer };

/** `slow` reads as a busy client does: at most 64 KiB, then a pause. */
export type Reader = 'fast' | 'slow';

export interface WireRequest {
  readonly path: string;
  readonly upload: Upload;
  readonly connection: 'close' | 'keep-alive';
  readonly reader: Reader;
}

/** How it ended: the body was there to its length, or the connection was closed, reset or silent before that. */
export type WireEnd = 'whole' | 'fin' | 'reset' | 'timeout';

export interface WireAnswer {
  /** 0 when no head came. */
  readonly status: number;
  readonly head: string;
  readonly body: Buffer;
  /** What Content-Length promised; null without one. */
  readonly expectedBytes: number | null;
  readonly end: WireEnd;
}

const SLOW_PAUSE_MS = 2;
/** Longer than any pause of a healthy server on loopback, also under load. */
const SILENCE_MS = 15_000;

/** Sends the request on a connection of its own and reads until the answer is whole or cannot become so. */
export async function wireRequest(port: number, request: WireRequest): Promise<WireAnswer> {
  const socket = net.connect(port, '127.0.0.1');
  try {
    return await exchange(socket, request);
  } finally {
    socket.destroy();
  }
}

/** The same on a connection that the caller keeps. */
export async function exchange(socket: net.Socket, request: WireRequest): Promise<WireAnswer> {
  const answer = readAnswer(socket, request.reader);
  socket.write(requestHead(request));
  if (request.upload.kind !== 'none') socket.write(framed(request.upload));
  return await answer;
}

/** Half-closes and waits for the other side's end; says how it came. */
export async function closeInOrder(socket: net.Socket): Promise<'fin' | 'reset' | 'timeout'> {
  const ended = new Promise<'fin' | 'reset' | 'timeout'>((resolve) => {
    if (socket.readableEnded) resolve('fin');
    socket.on('end', () => resolve('fin')).on('error', () => resolve('reset'));
    socket.on('close', (hadError) => resolve(hadError ? 'reset' : 'fin'));
    socket.setTimeout(SILENCE_MS, () => resolve('timeout'));
  });
  socket.resume().end();
  const how = await ended;
  socket.destroy();
  return how;
}

function requestHead({ path, upload, connection }: WireRequest): string {
  const method = upload.kind === 'none' ? 'GET' : 'POST';
  const framing = {
    none: '',
    length: `Content-Length: ${upload.kind === 'length' ? upload.body.length : 0}\r\n`,
    chunked: 'Transfer-Encoding: chunked\r\n',
  }[upload.kind];
  return `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: ${connection}\r\n${framing}\r\n`;
}

function framed(upload: Exclude<Upload, { kind: 'none' }>): Buffer {
  if (upload.kind === 'length') return upload.body;
  const size = Buffer.from(`${upload.body.length.toString(16)}\r\n`);
  return Buffer.concat([size, upload.body, Buffer.from('\r\n0\r\n\r\n')]);
}

async function readAnswer(socket: net.Socket, reader: Reader): Promise<WireAnswer> {
  return await new Promise((resolve) => {
    const parts: Buffer[] = [];
    const partial = new PartialAnswer();
    const settle = (end: WireEnd): void => {
      socket
        .off('data', read)
        .off('end', ended)
        .off('error', failed)
        .off('close', ended)
        .off('timeout', silent);
      socket.on('error', () => {});
      resolve(partial.finish(parts, end));
    };
    const read = (part: Buffer): void => {
      parts.push(part);
      if (partial.take(part)) settle('whole');
      else if (reader === 'slow') pauseBriefly(socket);
    };
    // An end after a reset has no peer any more: Node 20 and 22 may report a reset as an end (see test/facts/reset.test.ts).
    const ended = (): void => settle(socket.remoteAddress === undefined ? 'reset' : 'fin');
    const failed = (): void => settle('reset');
    const silent = (): void => settle('timeout');
    socket.on('data', read).on('end', ended).on('error', failed).on('close', ended);
    socket.setTimeout(SILENCE_MS, silent);
  });
}

function pauseBriefly(socket: net.Socket): void {
  socket.pause();
  setTimeout(() => socket.resume(), SLOW_PAUSE_MS);
}

/** Follows an answer as it arrives, just far enough to know when it is whole. */
class PartialAnswer {
  #head = '';
  #headBytes = 0;
  #receivedBytes = 0;
  #expectedBytes: number | null = null;

  /** Takes the next bytes; true when the body has reached its Content-Length. */
  take(part: Buffer): boolean {
    this.#receivedBytes += part.length;
    if (this.#headBytes === 0) this.#takeHead(part);
    if (this.#headBytes === 0 || this.#expectedBytes === null) return false;
    return this.#receivedBytes - this.#headBytes >= this.#expectedBytes;
  }

  #takeHead(part: Buffer): void {
    this.#head += part.toString('latin1');
    const end = this.#head.indexOf('\r\n\r\n');
    if (end === -1) return;
    this.#headBytes = end + 4;
    this.#head = this.#head.slice(0, end);
    const length = /\r\ncontent-length: *([0-9]+)/i.exec(this.#head)?.[1];
    this.#expectedBytes = length === undefined ? null : Number(length);
  }

  finish(parts: readonly Buffer[], end: WireEnd): WireAnswer {
    const headCame = this.#headBytes > 0;
    return {
      status: headCame ? Number(this.#head.slice(9, 12)) : 0,
      head: this.#head,
      body: headCame ? Buffer.concat(parts).subarray(this.#headBytes) : Buffer.alloc(0),
      expectedBytes: this.#expectedBytes,
      end,
    };
  }
}
