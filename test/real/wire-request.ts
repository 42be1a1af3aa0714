/** One request by a raw socket, written and read as told, and everything that came back: no client library's mercy. */

import type { ByteReader } from '../harness/byte-reader.ts';
import { Client } from '../harness/client.ts';

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

export interface WireResponse {
  /** 0 when no head came. */
  readonly status: number;
  readonly head: string;
  readonly body: Buffer;
  readonly end: WireEnd;
}

const SLOW_PAUSE_MS = 2;
/** Longer than any pause of a healthy server on loopback, also under load. */
const SILENCE_MS = 15_000;

/** Sends the request on a connection of its own and reads until the response is whole or cannot become so. */
export async function wireRequest(port: number, request: WireRequest): Promise<WireResponse> {
  const client = await connected(port);
  if (client === null) return { ...NOTHING, end: 'reset' };
  using open = client;
  return await exchange(open, request);
}

const NOTHING = { status: 0, head: '', body: Buffer.alloc(0) } as const;

async function connected(port: number): Promise<Client | null> {
  try {
    return await Client.connect(port);
  } catch {
    return null;
  }
}

/** The same on a connection that the caller keeps. */
export async function exchange(client: Client, request: WireRequest): Promise<WireResponse> {
  const { socket } = client;
  const pause = (): void => {
    socket.pause();
    setTimeout(() => socket.resume(), SLOW_PAUSE_MS);
  };
  if (request.reader === 'slow') socket.on('data', pause);
  const silent = new Promise<'timeout'>((resolve) => {
    socket.setTimeout(SILENCE_MS, () => resolve('timeout'));
  });
  void client.send(requestHead(request));
  if (request.upload.kind !== 'none') void client.send(framed(request.upload));
  const response = await readResponse(client.reader, silent);
  socket.off('data', pause).setTimeout(0);
  return response;
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

async function readResponse(reader: ByteReader, silent: Promise<'timeout'>): Promise<WireResponse> {
  const headEnd = await Promise.race([reader.find('\r\n\r\n'), silent]);
  if (typeof headEnd !== 'number') return { ...NOTHING, end: headEnd ?? endOf(reader) };
  const head = (await reader.until('\r\n\r\n')) ?? '';
  const length = /\r\ncontent-length: *([0-9]+)/i.exec(head)?.[1];
  const whole = await Promise.race([reader.has(Number(length ?? Infinity)), silent]);
  const body = (await reader.take(whole === true ? Number(length) : reader.bytes)) ?? NOTHING.body;
  const end = whole === 'timeout' ? whole : whole ? 'whole' : endOf(reader);
  return { status: Number(head.slice(9, 12)), head, body, end };
}

function endOf({ ended }: ByteReader): 'fin' | 'reset' {
  return ended ?? 'reset';
}
