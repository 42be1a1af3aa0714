/** The upstream's response head as the client gets it: what names the upstream's own address names the proxy instead. */

import type { IncomingMessage } from 'node:http';
import { fieldValue, listParts } from '../http/fields.ts';
import { mayNameAddress, renameOwnAddress } from '../http/own-address.ts';
import type { Address } from '../http/own-address.ts';
import { originForm } from '../http/request-check.ts';
import type { ResponseHead } from '../http/response-head.ts';
import { targetAuthority } from './request-head.ts';
import type { Services } from './services.ts';

export interface ClientHead {
  readonly head: ResponseHead;
  /** What was changed, as a sentence; null: nothing. */
  readonly note: string | null;
}

export function clientHead(
  head: ResponseHead,
  request: IncomingMessage,
  services: Pick<Services, 'settings' | 'trusts'>,
  encrypted: boolean,
): ClientHead {
  if (!mayNameAddress(head.fields)) return { head, note: null };
  const upstream = upstreamAddress(services);
  const client = calledAddress(request, services, encrypted);
  if (upstream === null || client === null) return { head, note: null };
  const { fields, renamed } = renameOwnAddress(head.fields, { upstream, client });
  if (renamed.length === 0) return { head, note: null };
  const note =
    `The upstream named its own address in ${renamed.join(' and ')}, past this proxy: ` +
    `rewritten to ${client.scheme}://${client.authority}, which the client called.`;
  return { head: { ...head, fields }, note };
}

/** Null: it has none. Behind a unix socket it knows the name that we send. */
function upstreamAddress({ settings }: Pick<Services, 'settings'>): Address | null {
  const { target, changeOrigin } = settings;
  if (target.kind === 'unix' && !changeOrigin) return null;
  const scheme = target.kind === 'tcp' && target.tls ? 'https' : 'http';
  return { scheme, authority: targetAuthority(target) };
}

/** Null: a request of HTTP/1.0 may tell no name. A trusted peer tells what its own client called. */
function calledAddress(
  request: IncomingMessage,
  { trusts }: Pick<Services, 'trusts'>,
  encrypted: boolean,
): Address | null {
  const { rawHeaders, url = '/', socket } = request;
  const told = trusts(socket.remoteAddress ?? '') ? rawHeaders : [];
  const proto = fieldValue(told, 'x-forwarded-proto')?.toLowerCase() ?? (encrypted ? 'https' : 'http');
  const [forwardedHost] = listParts(fieldValue(told, 'x-forwarded-host') ?? '');
  const authority = forwardedHost ?? originForm(url).host ?? fieldValue(rawHeaders, 'host');
  if (authority === undefined) return null;
  return { scheme: proto === 'https' ? 'https' : 'http', authority };
}
