/** Authentication of a connection instead of a request: NTLM and Negotiate (RFC 4559 section 6). */

import { fieldValues } from './fields.ts';
import type { Fields } from './fields.ts';

const SCHEME = /(?:^|,)[ \t]*(?:NTLM|Negotiate)(?:[ \t,]|$)/i;

/** Whether the request logs its connection in, or tries to. */
export function logsConnectionIn(requestFields: Fields): boolean {
  return names(requestFields, 'authorization', SCHEME) || names(requestFields, 'proxy-authorization', SCHEME);
}

/** Whether the response asks its client to log the connection in. */
export function asksForConnectionLogin(status: number, fields: Fields): boolean {
  if (status === 401) return names(fields, 'www-authenticate', SCHEME);
  return status === 407 && names(fields, 'proxy-authenticate', SCHEME);
}

function names(fields: Fields, name: string, scheme: RegExp): boolean {
  return fieldValues(fields, name).some((value) => scheme.test(value));
}
