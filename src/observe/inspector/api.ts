/** The pages of the API; docs/api.md is their contract. */

import { isSafe } from '../../http/request.ts';
import { problemResponse, jsonResponse } from '../pages.ts';
import type { PageResponse, AdminPage, AdminRequest, WholeResponse } from '../pages.ts';
import { readFilter } from './filter.ts';
import type { Filter, FilterFault } from './filter.ts';
import { fullView } from './views.ts';
import { harParts } from './har.ts';
import type { Inspector } from './inspector.ts';
import { bodyFileName, readReplayCommand, requestAgain } from './repeat.ts';
import type { ReplayRequest } from './repeat.ts';
import type { Entry, Ring } from './ring.ts';
import { readableBody } from './body.ts';
import type { ReadableBody } from './body.ts';
import type { Page } from './types.ts';

export type ReplayResult =
  { readonly kind: 'begun'; readonly id: string } | { readonly kind: 'failed'; readonly detail: string };

/** Sends the request of an exchange to the proxy again, perhaps edited. Never rejects. */
export type Replay = (entry: Entry, request: ReplayRequest) => Promise<ReplayResult>;

export function apiPages(inspector: Inspector, replay: Replay): readonly AdminPage[] {
  const { ring } = inspector;
  /** A page about one exchange. */
  const one =
    (
      show: (entry: Entry, request: AdminRequest) => PageResponse | Promise<PageResponse>,
    ): AdminPage['respond'] =>
    (request) => {
      const entry = ring.find(request.id);
      return entry === null ? notKept(request.id) : show(entry, request);
    };
  const exchange = '/api/exchanges/:id';
  const full = (entry: Entry): PageResponse =>
    jsonResponse(fullView(entry, inspector.settings, inspector.url));
  const replayed = one((entry, { body }) => sendAgain(entry, body, replay));
  return [
    { path: '/api/exchanges', method: 'GET', respond: (request) => list(ring, request) },
    { path: exchange, method: 'GET', respond: one(full) },
    { path: `${exchange}/request-body`, method: 'GET', respond: one((entry) => file(entry, 'request')) },
    { path: `${exchange}/response-body`, method: 'GET', respond: one((entry) => file(entry, 'response')) },
    { path: `${exchange}/replay`, method: 'POST', respond: replayed },
    { path: '/api/events', method: 'GET', respond: (request) => follow(inspector, request) },
    { path: '/api/summary', method: 'GET', respond: () => jsonResponse(inspector.summary()) },
    { path: '/api/har', method: 'GET', respond: (request) => har(inspector, request) },
  ];
}

function list(ring: Ring, { parameters }: AdminRequest): PageResponse {
  const filter = readFilter(parameters);
  if (isFault(filter)) return faultResponse(filter);
  const found = passing(ring.newest(), filter, ring);
  const exchanges = found.slice(0, filter.limit).map((entry) => ring.row(entry));
  const last = exchanges.at(-1);
  const next = found.length > exchanges.length && last !== undefined ? last.number : null;
  const page: Page = { exchanges, next, revision: ring.revision };
  return jsonResponse(page);
}

function passing(entries: readonly Entry[], filter: Filter, ring: Ring): Entry[] {
  return entries.filter((entry) => entry.number < filter.before && filter.passes(ring.row(entry)));
}

function notKept(id: string): WholeResponse {
  return problemResponse(
    404,
    `No exchange ${JSON.stringify(id)} is kept: newer ones have taken its place, or there was none.`,
  );
}

async function sendAgain(entry: Entry, body: string, replay: Replay): Promise<PageResponse> {
  const command = readReplayCommand(body);
  if (typeof command === 'string') return problemResponse(400, command);
  const again = requestAgain(entry, command.edit);
  if (typeof again === 'string') return problemResponse(409, again);
  if (!isSafe(again.method) && !command.confirm) {
    const detail = `${again.method} may change something when it is sent again: say "confirm": true.`;
    return problemResponse(409, detail);
  }
  const result = await replay(entry, again);
  return result.kind === 'begun' ? jsonResponse({ id: result.id }, 202) : problemResponse(502, result.detail);
}

/** A body, decoded and without its secrets. As `application/octet-stream`, no browser runs or renders it. */
function file(entry: Entry, side: 'request' | 'response'): PageResponse {
  const body = side === 'request' ? requestBodyOf(entry) : responseBodyOf(entry);
  if (body === null) return problemResponse(404, `There was no ${side} body, or it is not kept.`);
  return {
    kind: 'whole',
    status: 200,
    contentType: 'application/octet-stream',
    body: body.bytes,
    fields: { 'Content-Disposition': `attachment; filename="${bodyFileName(entry, side)}"` },
  };
}

function requestBodyOf({ begun, record }: Entry): ReadableBody | null {
  return readableBody(record?.notes?.requestBody ?? null, begun.requestFields);
}

/** What the client was sent: one of our own responses, or the last one of the upstream. */
function responseBodyOf({ record }: Entry): ReadableBody | null {
  const notes = record?.notes ?? null;
  if (record?.outcome === 'refused')
    return readableBody(notes?.answerBody ?? null, notes?.responseFields ?? []);
  const last = record?.attempts.at(-1);
  return readableBody(last?.notes?.body ?? null, last?.evidence.head?.fields ?? []);
}

function follow({ feed }: Inspector, { parameters, fields }: AdminRequest): PageResponse {
  const filter = readFilter(parameters, ['since']);
  if (isFault(filter)) return faultResponse(filter);
  const seen = fields['last-event-id'] ?? parameters.get('since');
  const since = typeof seen === 'string' ? revisionOf(seen) : null;
  if (typeof seen === 'string' && since === null) {
    return faultResponse({ parameter: 'since', detail: 'It is a revision: a whole number.' });
  }
  return { kind: 'stream', contentType: 'text/event-stream', open: (sink) => feed.add(sink, since, filter) };
}

function revisionOf(text: string): number | null {
  return /^\d{1,15}$/.test(text) ? Number(text) : null;
}

function har(inspector: Inspector, { parameters }: AdminRequest): PageResponse {
  const { ring } = inspector;
  const id = parameters.get('id');
  const filter = readFilter(parameters, ['id']);
  if (isFault(filter)) return faultResponse(filter);
  const one = id === null ? null : ring.find(id);
  if (id !== null && one?.record == null) return notKept(id);
  const limit = parameters.has('limit') ? filter.limit : Infinity;
  const entries = one === null ? passing(ring.newest(), filter, ring) : [one];
  // A HAR cannot hold an exchange in progress. Ids instead of entries: a client that stalls keeps nothing in memory.
  const ids = entries.flatMap(({ begun, record }) => (record === null ? [] : [begun.id])).slice(0, limit);
  const name = id === null ? 'lastbyte' : `lastbyte-${id.slice(0, 8)}`;
  return {
    kind: 'parts',
    contentType: 'application/json',
    fields: { 'Content-Disposition': `attachment; filename="${name}.har"` },
    parts: () => harParts(ids, (kept) => ring.find(kept), inspector),
  };
}

function isFault(filter: Filter | FilterFault): filter is FilterFault {
  return 'parameter' in filter;
}

function faultResponse({ parameter, detail }: FilterFault): PageResponse {
  return problemResponse(400, detail, { parameter });
}
