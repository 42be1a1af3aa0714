/** Whether a client is on this machine for sure: what an answer of our own tells of it is for such clients alone. */

import type { Socket } from 'node:net';
import { isLoopback } from '../config/target.ts';
import { fieldValue } from '../http/fields.ts';
import type { Request } from '../http/request.ts';
import type { Nearby } from './services.ts';

/** Fields of whoever passes on the requests of others: a proxy or a tunnel may come from this machine for a client that does not. */
const PASSED_ON: readonly string[] = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'];

/** What an answer of our own tells a client on this machine besides. */
export interface LocalHints {
  /** Where the inspector shows the exchange; null: there is none. */
  readonly inspector: string | null;
  /** Usual ports of dev servers that answer instead of the upstream. */
  readonly answering: readonly number[];
}

export const NO_HINTS: LocalHints = { inspector: null, answering: [] };

export function localHints(
  request: Request,
  socket: Socket,
  { adminUrl, answering }: Nearby,
  id: string,
): LocalHints {
  if (!isLocalClient(request, socket.remoteAddress)) return NO_HINTS;
  return { inspector: adminUrl === null ? null : `${adminUrl}/#open=${id}`, answering };
}

/** It comes from loopback, calls us by a name of loopback, and nobody passed it on. */
export function isLocalClient({ host: named, fields }: Request, clientAddress = ''): boolean {
  const address = clientAddress.replace(/^::ffff:/, '');
  const host = (named ?? '').replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  return (
    isLoopback(address) &&
    isLoopback(host) &&
    !PASSED_ON.some((name) => fieldValue(fields, name) !== undefined)
  );
}
