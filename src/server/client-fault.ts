/** What Node's parser, or its clock, found wrong with a request, in our words. */

import type { Settings } from '../config/settings.ts';
import { ProxyError } from '../errors.ts';
import { headTooLarge } from '../exchange/check.ts';

/** Nobody is left to be answered. */
const CONNECTION_LOST: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'ETIMEDOUT']);

export function isConnectionLost(code: string): boolean {
  return CONNECTION_LOST.has(code);
}

/** @param error that came with http.Server's `clientError` */
export function clientFault(error: NodeJS.ErrnoException, settings: Settings): ProxyError {
  const { maxHeaderBytes, clientSendTimeoutMs } = settings;
  switch (error.code ?? '') {
    case 'HPE_HEADER_OVERFLOW':
      return headTooLarge(maxHeaderBytes);
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return new ProxyError(
        'request_body_too_large',
        'The chunk extensions of the request body are too large.',
      );
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new ProxyError(
        'request_timeout',
        `The request head did not arrive within --client-send-timeout, ${clientSendTimeoutMs} ms.`,
      );
    case 'HPE_INVALID_EOF_STATE':
      return new ProxyError(
        'request_body_incomplete',
        'The client closed its side in the middle of the request.',
      );
    default:
      return new ProxyError(
        'bad_request',
        `The request cannot be parsed: ${why(error, isTls(error))} (${error.code}).`,
      );
  }
}

function why({ code, message }: NodeJS.ErrnoException, tls: boolean): string {
  if (tls) return 'it is TLS, and this port speaks plain HTTP: write http:// instead of https://';
  return WORDS.get(code ?? '') ?? message.replace(/^Parse Error: /, '');
}

/** For the codes of Node's parser whose own words help nobody. */
const WORDS: ReadonlyMap<string, string> = new Map([
  [
    'HPE_INVALID_URL',
    'its target holds what no URL may hold as it is; letters beyond ASCII must be percent-encoded',
  ],
  ['HPE_PAUSED_H2_UPGRADE', 'it is HTTP/2, and this proxy speaks HTTP/1.1'],
]);

/** The record header of a TLS handshake (RFC 8446 section 5.1). Node adds the packet that it could not parse. */
function isTls(error: NodeJS.ErrnoException): boolean {
  if (error.code !== 'HPE_INVALID_METHOD') return false;
  if (!('rawPacket' in error) || !(error.rawPacket instanceof Uint8Array)) return false;
  const [type, major] = error.rawPacket;
  return type === 0x16 && major === 3;
}
