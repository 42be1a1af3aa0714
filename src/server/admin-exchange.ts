/** One request to the admin listener: whether it is allowed, which page, and its response. Errors are reported, never thrown. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import type { Socket } from 'node:net';
import { finished } from 'node:stream/promises';
import { setImmediate as othersTurn } from 'node:timers/promises';
import { problemResponse } from '../observe/pages.ts';
import type {
  PageResponse,
  AdminPage,
  PartsResponse,
  StreamResponse,
  WholeResponse,
} from '../observe/pages.ts';

/** Enough for an edited body, as the inspector keeps it, in JSON. */
const MAX_BODY_BYTES = 512 * 1024;

export interface AdminSite {
  readonly pages: readonly AdminPage[];
  /** The value of --admin-host. */
  readonly host: string;
  /** Reports an internal error; the listener continues. */
  readonly failed: (error: unknown) => void;
}

/** Never rejects. */
export async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  site: AdminSite,
): Promise<void> {
  // Writing to a client that has left may fail at any time; the connection's own events report that, too.
  response.on('error', () => undefined);
  try {
    const content = await responseFor(request, site);
    if (content !== null) await write(request, response, content);
    else response.destroy();
  } catch (error) {
    site.failed(error);
    response.destroy();
  }
}

/** Null: the client left, or was too slow, so nobody waits for a response. */
async function responseFor(request: IncomingMessage, site: AdminSite): Promise<PageResponse | null> {
  let body: string | null;
  try {
    // The body is read in full before the response: closing with unread bytes would reset the connection
    // (RFC 9112 section 9.6). `requestTimeout` limits how long it may take.
    body = await received(request);
  } catch {
    return null;
  }
  try {
    return refusal(request, site.host) ?? (await pageResponse(request, body, site.pages));
  } catch (error) {
    site.failed(error);
    return problemResponse(500, 'lastbyte failed at this page: the log says how. Its traffic goes on.');
  }
}

/** Null: it is longer than any page needs. */
async function received(request: IncomingMessage): Promise<string | null> {
  const parts: Buffer[] = [];
  let bytes = 0;
  request.on('data', (part: Buffer) => {
    bytes += part.length;
    if (bytes <= MAX_BODY_BYTES) parts.push(part);
  });
  await finished(request);
  return bytes <= MAX_BODY_BYTES ? Buffer.concat(parts).toString() : null;
}

/** Null: the request is allowed. */
function refusal({ headers, url = '' }: IncomingMessage, adminHost: string): WholeResponse | null {
  const { host = '', origin } = headers;
  if (!isLocalName(host, adminHost)) return problemResponse(421, MISDIRECTED);
  if (origin !== undefined && !isSameOrigin(origin, host)) return problemResponse(403, FOREIGN);
  // Any page may link to ours, but only our own page may use the API, even where a foreign page could not read the response.
  const foreign = url.startsWith('/api/') && !isSameSite(headers['sec-fetch-site']);
  return foreign ? problemResponse(403, FOREIGN) : null;
}

const MISDIRECTED =
  'The Host field names neither an IP address nor localhost nor the admin host: a foreign name that points here is how ' +
  'DNS rebinding begins. Use the IP address, or set --admin-host to this name.';
const FOREIGN = 'The request comes from a page of another origin.';

/**
 * After DNS rebinding, a browser sends the attacker's name as Host; it cannot be made to send an address or localhost
 * (RFC 6761 section 6.3 keeps *.localhost on this machine).
 */
function isLocalName(hostField: string, adminHost: string): boolean {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]+))(?::\d*)?$/.exec(hostField);
  if (match === null) return false;
  const [, address, bareName = ''] = match;
  if (address !== undefined) return isIP(address) === 6;
  const name = bareName.toLowerCase().replace(/\.$/, '');
  return (
    isIP(name) === 4 ||
    name === 'localhost' ||
    name.endsWith('.localhost') ||
    name === adminHost.toLowerCase()
  );
}

/** Https, too: a TLS proxy may be in front. */
function isSameOrigin(origin: string, host: string): boolean {
  const own = host.toLowerCase();
  return origin.toLowerCase() === `http://${own}` || origin.toLowerCase() === `https://${own}`;
}

/** Browsers say where a request comes from (https://www.w3.org/TR/fetch-metadata/); other clients do not. */
function isSameSite(secFetchSite: string | string[] | undefined): boolean {
  return secFetchSite === undefined || secFetchSite === 'same-origin' || secFetchSite === 'none';
}

async function pageResponse(
  { headers, method = '', url = '' }: IncomingMessage,
  body: string | null,
  pages: readonly AdminPage[],
): Promise<PageResponse> {
  const [path = '', query = ''] = url.split(/\?(.*)/s, 2);
  const found = pages.filter((page) => idIn(path, page.path) !== null);
  if (found.length === 0) {
    const paths = [...new Set(pages.map((page) => page.path))].join(', ');
    return problemResponse(404, `There is no such page here. There are: ${paths}.`);
  }
  const page = found.find((one) => one.method === (method === 'HEAD' ? 'GET' : method));
  if (page === undefined) {
    const allowed = found.map((one) => (one.method === 'GET' ? 'GET, HEAD' : one.method)).join(', ');
    const problem = problemResponse(405, `Only ${allowed.replace(', HEAD', ' and HEAD')} are served here.`);
    return { ...problem, fields: { Allow: allowed } };
  }
  if (page.method === 'POST') {
    const type = headers['content-type'] ?? '';
    // A foreign page cannot send this type without a preflight (https://fetch.spec.whatwg.org, CORS-safelisted).
    if (!/^application\/json\s*(;|$)/i.test(type))
      return problemResponse(415, 'The body must be application/json.');
  }
  if (body === null) return problemResponse(413, `The body is longer than ${MAX_BODY_BYTES} bytes.`);
  const parameters = new URLSearchParams(query);
  return await page.respond({ method, id: idIn(path, page.path) ?? '', parameters, fields: headers, body });
}

/** The part of the path in place of `:id`, or empty; null: the path does not match. */
function idIn(path: string, pattern: string): string | null {
  const [before = '', after] = pattern.split(':id');
  if (after === undefined) return path === pattern ? '' : null;
  if (!path.startsWith(before) || !path.endsWith(after)) return null;
  const id = path.slice(before.length, path.length - after.length);
  return id === '' || id.includes('/') ? null : id;
}

const FIELDS: Readonly<Record<string, string>> = {
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Content-Security-Policy':
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'Cross-Origin-Resource-Policy': 'same-origin',
};

/** Resolves when everything is written, the client has left, or a stream has begun. */
async function write(
  { method, socket }: IncomingMessage,
  response: ServerResponse,
  content: PageResponse,
): Promise<void> {
  writeHead(response, content);
  if (method === 'HEAD') response.end();
  else if (content.kind === 'whole') response.end(content.body);
  else if (content.kind === 'parts') await writeParts(socket, response, content);
  else stream(socket, response, content);
}

function writeHead(response: ServerResponse, content: PageResponse): void {
  const common = { ...FIELDS, 'Content-Type': content.contentType };
  switch (content.kind) {
    case 'whole':
      response.writeHead(content.status, {
        ...common,
        'Content-Length': Buffer.byteLength(content.body),
        ...content.fields,
      });
      return;
    case 'parts':
      response.writeHead(200, { ...common, ...content.fields });
      return;
    case 'stream':
      response.writeHead(200, { ...common, Connection: 'close' });
      return;
  }
}

async function writeParts(socket: Socket, response: ServerResponse, { parts }: PartsResponse): Promise<void> {
  for (const part of parts()) {
    if (!response.write(part)) await taken(socket, response);
    await othersTurn();
    if (socket.destroyed || socket.readableEnded) {
      response.destroy();
      return;
    }
  }
  response.end();
}

/** Resolves when the client has taken what was written, or has left. */
function taken(socket: Socket, response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const over = (): void => {
      response.off('drain', over);
      socket.off('close', over);
      resolve();
    };
    response.on('drain', over);
    // A response that waits behind another one gets no event when their connection closes.
    socket.on('close', over);
  });
}

/** A watcher that closes its sending side has left (see docs/decisions, 9). */
function stream(socket: Socket, response: ServerResponse, { open }: StreamResponse): void {
  let watches = !socket.destroyed && !socket.readableEnded;
  let leave = (): void => undefined;
  const end = (): void => {
    if (!watches) return;
    watches = false;
    leave();
    socket.off('end', end).off('close', end);
    // A watcher that has not read everything by now will not read it.
    if (response.writableNeedDrain) response.destroy();
    else response.end();
  };
  if (!watches) {
    response.end();
    return;
  }
  // A response that waits behind another one gets no `close` event.
  socket.on('end', end).on('close', end);
  const leaving = open({
    write: (text) => {
      if (watches) response.write(text);
    },
    get congested() {
      return response.writableNeedDrain;
    },
    end,
  });
  if (watches) leave = leaving;
  else leaving();
}
