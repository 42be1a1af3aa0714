/** The upstream's response head as the client gets it: what names the upstream's own address names the proxy instead. */

import type { Settings } from '../config/settings.ts';
import { fieldValue, listParts } from '../http/fields.ts';
import { mayNameAddress, renameOwnAddress } from '../http/own-address.ts';
import type { Address } from '../http/own-address.ts';
import type { Request } from '../http/request.ts';
import type { ResponseHead } from '../http/response-head.ts';
import { targetAuthority } from './request-head.ts';
import type { HeadContext } from './request-head.ts';

export interface ClientHead {
  readonly head: ResponseHead;
  /** What was changed, as a sentence; null: nothing. */
  readonly note: string | null;
}

export function clientHead(
  head: ResponseHead,
  request: Request,
  { settings, trusted, encrypted }: Pick<HeadContext, 'settings' | 'trusted' | 'encrypted'>,
): ClientHead {
  if (!mayNameAddress(head.fields)) return { head, note: null };
  const upstream = upstreamAddress(settings);
  const client = calledAddress(request, trusted, encrypted);
  if (upstream === null || client === null) return { head, note: null };
  const { fields, renamed } = renameOwnAddress(head.fields, { upstream, client });
  if (renamed.length === 0) return { head, note: null };
  const note =
    `The upstream named its own address in ${renamed.join(' and ')}, past this proxy: ` +
    `rewritten to ${client.scheme}://${client.authority}, which the client called.`;
  return { head: { ...head, fields }, note };
}

/** Null: it has none. Behind a unix socket it knows the name that we send. */
function upstreamAddress({ target, changeOrigin }: Settings): Address | null {
  if (target.kind === 'unix' && !changeOrigin) return null;
  const scheme = target.kind === 'tcp' && target.tls ? 'https' : 'http';
  return { scheme, authority: targetAuthority(target) };
}

/** Null: a request of HTTP/1.0 may tell no name. A trusted peer tells what its own client called. */
function calledAddress({ fields, host }: Request, trusted: boolean, encrypted: boolean): Address | null {
  const told = trusted ? fields : [];
  const proto = fieldValue(told, 'x-forwarded-proto')?.toLowerCase() ?? (encrypted ? 'https' : 'http');
  const [forwardedHost] = listParts(fieldValue(told, 'x-forwarded-host') ?? '');
  const authority = forwardedHost ?? host;
  if (authority === null) return null;
  return { scheme: proto === 'https' ? 'https' : 'http', authority };
}
