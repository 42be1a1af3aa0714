/** One request to the admin listener and its answer: guard, page, bytes. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { finished } from 'node:stream/promises';
import { problemAnswer } from '../observe/pages.ts';
import type { AdminAnswer, AdminPage, StreamAnswer, WholeAnswer } from '../observe/pages.ts';
import { isLocalName, isSameOrigin, isSameSite } from './admin-guard.ts';

const MAX_BODY_BYTES = 4096;

const FIELDS: Readonly<Record<string, string>> = {
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Content-Security-Policy':
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'Cross-Origin-Resource-Policy': 'same-origin',
};

/** Never rejects. */
export async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  pages: readonly AdminPage[],
  adminHost: string,
): Promise<void> {
  try {
    // A body is read to its end before the answer: closing over unread octets would reset the connection
    // (RFC 9112 section 9.6). `requestTimeout` bounds it.
    const body = await received(request);
    const answer = refusal(request, adminHost) ?? (await pageAnswer(request, body, pages));
    if (answer.kind === 'whole') send(request, response, answer);
    else stream(request, response, answer);
  } catch {
    // The client left, or was too slow: nobody is there to be answered.
    response.destroy();
  }
}

/** Null: it is longer than any page wants. */
async function received(request: IncomingMessage): Promise<string | null> {
  const parts: Buffer[] = [];
  let bytes = 0;
  request.on('data', (octets: Buffer) => {
    bytes += octets.length;
    if (bytes <= MAX_BODY_BYTES) parts.push(octets);
  });
  await finished(request);
  return bytes <= MAX_BODY_BYTES ? Buffer.concat(parts).toString() : null;
}

/** Whoever may not ask gets no page. */
function refusal({ headers }: IncomingMessage, adminHost: string): WholeAnswer | null {
  const { host = '', origin } = headers;
  if (!isLocalName(host, adminHost)) return problemAnswer(421, MISDIRECTED);
  if (origin !== undefined && !isSameOrigin(origin, host)) return problemAnswer(403, FOREIGN);
  return null;
}

const MISDIRECTED =
  'The Host field names neither an IP address nor localhost nor the admin host: a foreign name that points here is how ' +
  'DNS rebinding begins. Use the IP address, or set --admin-host to this name.';
const FOREIGN = 'The request comes from a page of another origin.';

async function pageAnswer(
  { headers, method = '', url = '' }: IncomingMessage,
  body: string | null,
  pages: readonly AdminPage[],
): Promise<AdminAnswer> {
  const [path = '', query = ''] = url.split(/\?(.*)/s, 2);
  const found = pages.filter((page) => idIn(path, page.path) !== null);
  if (found.length === 0) {
    const paths = [...new Set(pages.map((page) => page.path))].join(', ');
    return problemAnswer(404, `There is no such page here. There are: ${paths}.`);
  }
  const page = found.find((one) => one.method === (method === 'HEAD' ? 'GET' : method));
  if (page === undefined) {
    const allowed = found.map((one) => (one.method === 'GET' ? 'GET, HEAD' : one.method)).join(', ');
    const problem = problemAnswer(405, `Only ${allowed.replace(', HEAD', ' and HEAD')} are served here.`);
    return { ...problem, fields: { Allow: allowed } };
  }
  if (page.method === 'POST') {
    const { 'content-type': type = '', 'sec-fetch-site': site } = headers;
    if (!isSameSite(site)) return problemAnswer(403, FOREIGN);
    // What a foreign page may send without asking first is never of this type (https://fetch.spec.whatwg.org, CORS-safelisted).
    if (!/^application\/json\s*(;|$)/i.test(type))
      return problemAnswer(415, 'The body must be application/json.');
  }
  if (body === null) return problemAnswer(413, `The body is longer than ${MAX_BODY_BYTES} bytes.`);
  const parameters = new URLSearchParams(query);
  return await page.answer({ method, id: idIn(path, page.path) ?? '', parameters, fields: headers, body });
}

/** The part of the path that stands for `:id`, or empty; null: the path is another. */
function idIn(path: string, pattern: string): string | null {
  const [before = '', after] = pattern.split(':id');
  if (after === undefined) return path === pattern ? '' : null;
  if (!path.startsWith(before) || !path.endsWith(after)) return null;
  const id = path.slice(before.length, path.length - after.length);
  return id === '' || id.includes('/') ? null : id;
}

function send(request: IncomingMessage, response: ServerResponse, answer: WholeAnswer): void {
  const body = Buffer.from(answer.body);
  response.writeHead(answer.status, {
    ...FIELDS,
    'Content-Type': answer.contentType,
    'Content-Length': body.length,
    ...answer.fields,
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

function stream(
  request: IncomingMessage,
  response: ServerResponse,
  { contentType, open }: StreamAnswer,
): void {
  response.writeHead(200, { ...FIELDS, 'Content-Type': contentType, Connection: 'close' });
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  const leave = open({
    write: (text) => {
      response.write(text);
    },
    get congested() {
      return response.writableNeedDrain;
    },
    end: () => {
      if (response.writableNeedDrain) response.destroy();
      else response.end();
    },
  });
  // A watcher that closes its side has left (see docs/decisions, 9).
  request.socket.once('end', () => response.end());
  response.once('close', leave);
}
