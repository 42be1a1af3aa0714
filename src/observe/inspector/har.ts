/** Exchanges as a HAR 1.2 (http://www.softwareishard.com/blog/har-12-spec/), without their secrets. */

import type { Entry as HarEntry, Har, Header, PostData, QueryString } from 'har-format';
import type { Settings } from '../../config/settings.ts';
import { fieldValue } from '../../http/fields.ts';
import { originForm } from '../../http/request-check.ts';
import { REDACTED } from '../redact-members.ts';
import { fullView } from './full.ts';
import type { Entry } from './ring.ts';
import type { Body, FieldPair, FullView, ResponseView } from './types.ts';

export interface HarContext {
  readonly settings: Settings;
  /** Where clients reach the proxy. */
  readonly url: string;
  readonly version: string;
}

/** @param entries those under way are left out: HAR has no place for them */
export function harOf(entries: readonly Entry[], context: HarContext): Har {
  const done = entries.filter(({ record }) => record !== null);
  return {
    log: {
      version: '1.2',
      creator: { name: 'lastbyte', version: context.version },
      entries: done.map((entry) => harEntry(entry, context)),
    },
  };
}

function harEntry(entry: Entry, { settings, url }: HarContext): HarEntry {
  const full = fullView(entry, settings, url);
  const { begun } = entry;
  const requestUrl = absoluteUrl(full.path, fieldValue(begun.requestFields, 'host'), url);
  const { request, why, client, started_at, ms, method, http, timeline, attempts, ...row } = full;
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
    response: harResponse(full.response, full.bytes),
    cache: {},
    timings: timings(full),
    connection: client,
    comment: why ?? '',
    _lastbyte: { ...row, timeline, attempts },
  };
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

/** They add up to the whole: what is not seen to be something else is waiting. */
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

/** A HAR names a whole URL: with the name that the client used, and without brackets where a secret was. */
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
