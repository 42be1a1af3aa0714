/** Exchanges as a HAR 1.2 (http://www.softwareishard.com/blog/har-12-spec/), without their secrets, entry by entry. */

import type { Entry as HarEntry, Header, PostData, QueryString } from 'har-format';
import { fieldValue } from '../../http/fields.ts';
import { originForm } from '../../http/request.ts';
import { REDACTED } from '../redact.ts';
import { fullView } from './views.ts';
import type { Inspector } from './inspector.ts';
import type { Entry } from './ring.ts';
import type { AttemptView, Body, FieldPair, FullView, ResponseView } from './types.ts';

type HarContext = Pick<Inspector, 'settings' | 'url' | 'version'>;

/** Decoded bodies are larger: 16 MiB in memory may become 200 MiB of text. */
const MAX_HAR_BYTES = 32 * 1024 * 1024;

/**
 * The text of a HAR, one entry at a time. Entries over the limit are left out, and the HAR says so.
 *
 * @param ids of finished exchanges, the most important first
 * @param find null: it has been evicted
 */
export function* harParts(
  ids: readonly string[],
  find: (id: string) => Entry | null,
  context: HarContext,
  maxBytes: number = MAX_HAR_BYTES,
): Generator<string, void> {
  const creator = { name: 'lastbyte', version: context.version };
  yield `{"log":{"version":"1.2","creator":${JSON.stringify(creator)},"entries":[`;
  let written = 0;
  let leftBytes = maxBytes;
  for (const id of ids) {
    const entry = find(id);
    if (entry === null) continue;
    const text = JSON.stringify(harEntry(entry, context));
    leftBytes -= Buffer.byteLength(text);
    if (leftBytes < 0) break;
    yield `${written === 0 ? '' : ','}${text}`;
    written += 1;
  }
  yield written === ids.length
    ? ']}}\n'
    : `],"comment":${JSON.stringify(leftOut(written, ids.length, maxBytes))}}}\n`;
}

function leftOut(written: number, wanted: number, maxBytes: number): string {
  return (
    `The newest ${written} of ${wanted} exchanges. A HAR of these holds at most ${maxBytes} bytes of entries, and what ` +
    'leaves the inspector meanwhile is not in it: ask for older ones with ?before=, or for fewer with a filter.'
  );
}

function harEntry(entry: Entry, { settings, url }: HarContext): HarEntry {
  const full = fullView(entry, settings, url);
  const { begun } = entry;
  const requestUrl = absoluteUrl(full.path, fieldValue(begun.requestFields, 'host'), url);
  // Not repeated under `_lastbyte`: what HAR has its own properties for. The curl command would repeat the request.
  const { request, response, why, client, started_at, ms, method, http, attempts, curl: _, ...rest } = full;
  return {
    startedDateTime: started_at,
    time: ms ?? 0,
    request: {
      method,
      url: requestUrl,
      httpVersion: `HTTP/${http === '' ? '1.1' : http}`,
      cookies: [],
      headers: headers(request.fields),
      queryString: queryOf(requestUrl),
      ...postData(request.body, typeOf(request.fields)),
      headersSize: -1,
      bodySize: full.request_bytes,
    },
    response: harResponse(response, full.bytes),
    cache: {},
    timings: timings(full),
    connection: client,
    comment: why ?? '',
    _lastbyte: { ...rest, attempts: attempts.map((attempt) => withoutBodyOf(full, attempt)) },
  };
}

/** The body that the client was sent is in the response, and not repeated here. */
function withoutBodyOf({ response }: FullView, attempt: AttemptView): AttemptView {
  if (attempt.response === null || attempt.response.body !== response?.body) return attempt;
  return { ...attempt, response: { ...attempt.response, body: null } };
}

function harResponse(response: ResponseView | null, bytes: number): HarEntry['response'] {
  const { status = 0, reason = '', fields = [], body = null } = response ?? {};
  return {
    status,
    statusText: reason,
    httpVersion: 'HTTP/1.1',
    cookies: [],
    headers: headers(fields),
    content: {
      size: body?.bytes ?? bytes,
      mimeType: typeOf(fields),
      ...(body === null ? {} : { text: body.content }),
      ...(body?.encoding === 'base64' ? { encoding: 'base64' } : {}),
      ...(body === null || body.whole ? {} : { comment: `the first ${body.kept} bytes` }),
    },
    redirectURL: fields.find(([name]) => name.toLowerCase() === 'location')?.[1] ?? '',
    headersSize: -1,
    bodySize: bytes,
  };
}

/** They add up to the total: time that is nothing else counts as waiting. */
function timings({ ms, timeline, attempts }: FullView): HarEntry['timings'] {
  const last = attempts.at(-1);
  const blocked = timeline.waits.reduce((sum, { start_ms, end_ms }) => sum + end_ms - start_ms, 0);
  const connect = span(last?.start_ms, last?.connected_ms);
  const send = span(last?.connected_ms, last?.body_sent_ms ?? last?.head_sent_ms);
  const receive = span(last?.first_byte_ms, last?.last_byte_ms);
  const wait = Math.max(0, (ms ?? 0) - blocked - connect - send - receive);
  return { blocked, dns: -1, connect, ssl: -1, send, wait, receive };
}

function span(from: number | null | undefined, to: number | null | undefined): number {
  return from === null || from === undefined || to === null || to === undefined ? 0 : Math.max(0, to - from);
}

function headers(fields: readonly FieldPair[]): Header[] {
  return fields.map(([name, value]) => ({ name, value }));
}

function typeOf(fields: readonly FieldPair[]): string {
  return fields.find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? '';
}

function postData(body: Body | null, mimeType: string): { readonly postData?: PostData } {
  if (body === null) return {};
  const comment = [
    ...(body.whole ? [] : [`the first ${body.kept} of ${body.bytes} bytes`]),
    ...(body.encoding === 'base64' ? ['base64'] : []),
  ].join(', ');
  return { postData: { mimeType, text: body.content, ...(comment === '' ? {} : { comment }) } };
}

/** A HAR has absolute URLs: with the host that the client used, and without brackets around a redacted secret. */
function absoluteUrl(path: string, host: string | undefined, url: string): string {
  const { target, host: named } = originForm(path);
  const base = url.startsWith('unix:') ? 'http://localhost' : url;
  const authority = named ?? host ?? new URL(base).host;
  const scheme = base.slice(0, base.indexOf(':'));
  const plain = target.replaceAll(REDACTED, 'redacted');
  try {
    return new URL(`${scheme}://${authority}${plain.startsWith('/') ? plain : '/'}`).href;
  } catch {
    return new URL(base).href;
  }
}

function queryOf(url: string): QueryString[] {
  return Array.from(new URL(url).searchParams, ([name, value]) => ({ name, value }));
}
