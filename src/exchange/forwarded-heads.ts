/** The forwarded heads: the client's request as sent to the upstream, and the upstream's response as sent to the client. */

import type { Settings, Target } from '../config/settings.ts';
import { fieldValue, listParts, withoutFields } from '../http/fields.ts';
import type { Fields } from '../http/fields.ts';
import { serializeFields, upstreamFields } from '../http/forwarding.ts';
import { mayNameAddress, renameOwnAddress } from '../http/rewriting.ts';
import type { Address } from '../http/rewriting.ts';
import type { Request } from '../http/request.ts';
import type { ResponseHead } from '../http/response-head.ts';
import type { Asked } from './transport.ts';

/** The input of the heads. */
type HeadParts = Pick<Asked, 'services' | 'request' | 'incoming' | 'encrypted'>;

/** @param bodyBytes the Content-Length to send; null: the client framed no body, so none is sent */
export function upstreamHead(asked: HeadParts, bodyBytes: number | null): string {
  const { target, fields } = forwardedRequest(asked, bodyBytes);
  return `${asked.request.method} ${target} HTTP/1.1\r\n${serializeFields(fields)}\r\n`;
}

/** Request target and fields as forwarded. */
export interface ForwardedRequest {
  readonly target: string;
  readonly fields: readonly string[];
}

export function forwardedRequest(
  { services, request, incoming: { socket }, encrypted }: HeadParts,
  bodyBytes: number | null,
): ForwardedRequest {
  const { settings, via } = services;
  const clientAddress = services.addressOf(socket);
  const { target, minor } = request;
  const authority = request.host ?? targetAuthority(settings.target);
  const fields = upstreamFields({
    fields: withHost(countedDown(request), request.targetHost),
    minor,
    hop: {
      // Empty, as on a unix socket.
      clientAddress: clientAddress === '' ? 'unknown' : clientAddress,
      clientPort: socket.remotePort ?? 0,
      encrypted,
      localPort: socket.localPort ?? 0,
      trusted: services.trusts(clientAddress),
      via,
    },
    host: settings.changeOrigin ? targetAuthority(settings.target) : authority,
    bodyBytes,
  });
  return { target, fields };
}

/** The upstream's own name, as in a Host field: without the scheme's default port. */
function targetAuthority(target: Target): string {
  if (target.kind === 'unix') return 'localhost';
  const host = target.host.includes(':') ? `[${target.host}]` : target.host;
  return target.port === (target.tls ? 443 : 80) ? host : `${host}:${target.port}`;
}

/** How many more intermediaries a TRACE or OPTIONS may pass; null: any (RFC 9110 section 7.6.2). */
export function maxForwards({ method, fields }: Request): number | null {
  if (method !== 'TRACE' && method !== 'OPTIONS') return null;
  const value = fieldValue(fields, 'max-forwards');
  return value !== undefined && /^\d{1,9}$/.test(value) ? Number(value) : null;
}

const MAX_FORWARDS: ReadonlySet<string> = new Set(['max-forwards']);

function countedDown(request: Request): Fields {
  const hops = maxForwards(request);
  if (hops === null) return request.fields;
  return [...withoutFields(request.fields, MAX_FORWARDS), 'Max-Forwards', String(hops - 1)];
}

/** A host in the target overrides the Host field (RFC 9112 section 3.2.2). */
function withHost(fields: Fields, host: string | null): Fields {
  if (host === null) return fields;
  if (fieldValue(fields, 'host') === undefined) return ['Host', host, ...fields];
  return fields.map((part, index) => (isHostValue(fields, index) ? host : part));
}

function isHostValue(fields: Fields, index: number): boolean {
  return index % 2 === 1 && fields[index - 1]?.toLowerCase() === 'host';
}

export interface ClientHead {
  readonly head: ResponseHead;
  /** What was changed, as a sentence; null: nothing. */
  readonly note: string | null;
}

export function clientHead(
  head: ResponseHead,
  { services, request, incoming, encrypted }: HeadParts,
): ClientHead {
  if (!mayNameAddress(head.fields)) return { head, note: null };
  const upstream = upstreamAddress(services.settings);
  const trusted = services.trusts(services.addressOf(incoming.socket));
  const client = calledAddress(request, trusted, encrypted);
  if (upstream === null || client === null) return { head, note: null };
  const { fields, renamed } = renameOwnAddress(head.fields, { upstream, client });
  if (renamed.length === 0) return { head, note: null };
  const note =
    `The upstream named its own address in ${renamed.join(' and ')}, past this proxy: ` +
    `rewritten to ${client.scheme}://${client.authority}, which the client called.`;
  return { head: { ...head, fields }, note };
}

/** Null: it has none. On a unix socket, it knows only the Host that the proxy sends. */
function upstreamAddress({ target, changeOrigin }: Settings): Address | null {
  if (target.kind === 'unix' && !changeOrigin) return null;
  const scheme = target.kind === 'tcp' && target.tls ? 'https' : 'http';
  return { scheme, authority: targetAuthority(target) };
}

/** The address that the client requested; null: HTTP/1.0 may name none. A trusted peer names the one that its own client requested. */
function calledAddress({ fields, host }: Request, trusted: boolean, encrypted: boolean): Address | null {
  const trustedFields = trusted ? fields : [];
  const proto =
    fieldValue(trustedFields, 'x-forwarded-proto')?.toLowerCase() ?? (encrypted ? 'https' : 'http');
  const [forwardedHost] = listParts(fieldValue(trustedFields, 'x-forwarded-host') ?? '');
  const authority = forwardedHost ?? host;
  if (authority === null) return null;
  return { scheme: proto === 'https' ? 'https' : 'http', authority };
}
