/** The pages of the admin listener: their types, their responses, and the files of the inspector's page. */

import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';

export interface AdminRequest {
  readonly method: string;
  /** The part of the path in place of `:id`; empty if there is none. */
  readonly id: string;
  readonly parameters: URLSearchParams;
  readonly fields: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface WholeResponse {
  readonly kind: 'whole';
  readonly status: number;
  readonly contentType: string;
  readonly body: string | Buffer;
  readonly fields?: Readonly<Record<string, string>>;
}

/** A response that is produced in parts: each when the client has taken the previous one, and other work had its turn. */
export interface PartsResponse {
  readonly kind: 'parts';
  readonly contentType: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly parts: () => Iterable<string>;
}

/** A response that continues until its watcher leaves or the listener closes. */
export interface StreamResponse {
  readonly kind: 'stream';
  readonly contentType: string;
  /** Starts to write. Returns a function that is called once, synchronously when the watcher leaves or is ended. */
  readonly open: (sink: StreamSink) => () => void;
}

export interface StreamSink {
  /** Does nothing if the watcher has left. */
  write(text: string): void;
  /** Whether some of what was written is still waiting to be sent. */
  readonly congested: boolean;
  end(): void;
}

export type PageResponse = WholeResponse | PartsResponse | StreamResponse;

export interface AdminPage {
  /** May contain one `:id`. */
  readonly path: string;
  /** GET also serves HEAD. */
  readonly method: 'GET' | 'POST';
  readonly respond: (request: AdminRequest) => PageResponse | Promise<PageResponse>;
}

export function textResponse(status: number, sentence: string): WholeResponse {
  return { kind: 'whole', status, contentType: 'text/plain; charset=utf-8', body: `${sentence}\n` };
}

export function jsonResponse(value: unknown, status = 200): WholeResponse {
  return { kind: 'whole', status, contentType: 'application/json', body: `${JSON.stringify(value)}\n` };
}

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  421: 'Misdirected Request',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
};

/** The status says what the problem is, so its type is about:blank (RFC 9457 section 4.2.1). */
export function problemResponse(
  status: number,
  detail: string,
  more: Readonly<Record<string, string>> = {},
): WholeResponse {
  const body = JSON.stringify({ type: 'about:blank', title: TITLES[status], status, detail, ...more });
  return { kind: 'whole', status, contentType: 'application/problem+json', body: `${body}\n` };
}

/** The same from here and from dist/chunks. */
const FOLDER = join(import.meta.dirname, '..', 'observe', 'page');

const TYPES: ReadonlyMap<string, string> = new Map([
  ['.html', 'text/html; charset=utf-8'],
  ['.css', 'text/css; charset=utf-8'],
  ['.js', 'text/javascript; charset=utf-8'],
]);

/** Nothing from other origins, nothing inline: no text in the proxied traffic can become a script. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
  "frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

export function pageFiles(): readonly AdminPage[] {
  const served = new Set(readdirSync(FOLDER).filter((name) => TYPES.has(extname(name))));
  return [
    { path: '/', method: 'GET', respond: () => fileResponse('index.html') },
    {
      path: '/page/:id',
      method: 'GET',
      respond: ({ id }) =>
        served.has(id) ? fileResponse(id) : problemResponse(404, 'The page has no such file.'),
    },
  ];
}

async function fileResponse(name: string): Promise<PageResponse> {
  return {
    kind: 'whole',
    status: 200,
    contentType: TYPES.get(extname(name)) ?? 'application/octet-stream',
    body: await readFile(join(FOLDER, name)),
    fields: { 'Content-Security-Policy': POLICY },
  };
}
