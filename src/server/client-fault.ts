/** What Node's parser, or its clock, found wrong with a request, in our words. */

import type { Settings } from '../config/settings.ts';
import { ProxyError } from '../errors.ts';

/** Nobody is left to be answered. */
const CONNECTION_LOST: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'ETIMEDOUT']);

export function isConnectionLost(code: string): boolean {
  return CONNECTION_LOST.has(code);
}

/** @param code of an error that came with http.Server's `clientError` */
export function clientFault(code: string, message: string, settings: Settings): ProxyError {
  const { maxHeaderBytes, clientSendTimeoutMs } = settings;
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new ProxyError(
        'request_head_too_large',
        `The request head is larger than --max-header, ${maxHeaderBytes} bytes.`,
      );
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
        `The request cannot be parsed: ${message.replace(/^Parse Error: /, '')} (${code}).`,
      );
  }
}
