/** Gives the same response to our parser and to the one in Node's http client, and says what each made of it. */

import { once } from 'node:events';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { ChunkedDecoder } from '../../../src/http/chunked.ts';
import { responseFraming } from '../../../src/http/framing.ts';
import type { Framing } from '../../../src/http/framing.ts';
import { findHeadEnd, parseResponseHead } from '../../../src/http/response-head.ts';

/** A response that arrived whole. */
export interface Reading {
  readonly status: number;
  readonly reason: string;
  readonly fields: readonly string[];
  readonly body: string;
}

/** null: refused, or not whole. */
export type Outcome = Reading | null;

/** What we make of a response to GET. */
export function readByUs(text: string): Outcome {
  return readWithSurplus(text).outcome;
}

/** Bytes after the response are discarded, not refused: Node cannot do that, so they are counted. */
export function readWithSurplus(text: string): { readonly outcome: Outcome; readonly surplusBytes: number } {
  const bytes = Buffer.from(text, 'latin1');
  const end = findHeadEnd(bytes, 0, bytes.length);
  const parsed = end < 0 ? null : parseResponseHead(bytes, 0, end);
  if (parsed === null || parsed.kind === 'malformed') return NOTHING;
  const framed = responseFraming('GET', parsed.head);
  const read = framed.kind === 'malformed' ? null : bodyOf(framed.framing, bytes.subarray(end));
  if (read === null) return NOTHING;
  const { status, reason, fields } = parsed.head;
  const surplusBytes = bytes.length - end - read.usedBytes;
  return { outcome: { status, reason, fields, body: read.body }, surplusBytes };
}

const NOTHING = { outcome: null, surplusBytes: 0 };

interface Body {
  readonly body: string;
  readonly usedBytes: number;
}

/** null: it is not whole. */
function bodyOf(framing: Framing, rest: Buffer): Body | null {
  if (framing.kind === 'chunked') return dechunked(rest);
  const bodyBytes = { none: 0, close: rest.length, length: framing.kind === 'length' ? framing.length : 0 }[
    framing.kind
  ];
  if (bodyBytes > rest.length) return null;
  return { body: rest.toString('latin1', 0, bodyBytes), usedBytes: bodyBytes };
}

function dechunked(bytes: Buffer): Body | null {
  const decoder = new ChunkedDecoder();
  let body = '';
  const usedBytes = decoder.decode(bytes, 0, bytes.length, (part) => {
    body += Buffer.from(part).toString('latin1');
  });
  return decoder.done ? { body, usedBytes } : null;
}

/** Answers every connection with the bytes that it was last given, then closes in order. */
export class NodeReader implements AsyncDisposable {
  readonly #server: Server;
  #bytes: Buffer = Buffer.alloc(0);

  private constructor() {
    this.#server = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.once('data', () => socket.end(this.#bytes));
    });
  }

  static async start(): Promise<NodeReader> {
    const reader = new NodeReader();
    reader.#server.listen(0, '127.0.0.1');
    await once(reader.#server, 'listening');
    return reader;
  }

  async read(text: string): Promise<Outcome> {
    this.#bytes = Buffer.from(text, 'latin1');
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('The server has no port.');
    const outgoing = request({ host: '127.0.0.1', port: address.port, agent: false });
    outgoing.end();
    return new Promise((resolve) => {
      // An upgrade has no listener: Node then destroys the socket, without a word.
      outgoing.on('error', () => resolve(null)).on('close', () => resolve(null));
      outgoing.on('response', (response) => {
        void wholeBody(response).then((body) => resolve(body === null ? null : reading(response, body)));
      });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    await once(this.#server, 'close');
  }
}

async function wholeBody(response: IncomingMessage): Promise<string | null> {
  const parts: Buffer[] = [];
  response.on('data', (part: Buffer) => parts.push(part));
  try {
    await once(response, 'end');
  } catch {
    return null;
  }
  return response.complete ? Buffer.concat(parts).toString('latin1') : null;
}

function reading(response: IncomingMessage, body: string): Reading {
  const { statusCode = 0, statusMessage = '', rawHeaders } = response;
  return { status: statusCode, reason: statusMessage, fields: rawHeaders, body };
}
