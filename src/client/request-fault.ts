/** Translates the errors of Node's parser and timeouts into ours. */

import type { Settings } from '../config/settings.ts';
import { ProxyError } from '../errors.ts';
import { quoted } from '../http/quoted.ts';
import { headTooLarge, otherVersion } from '../http/request-check.ts';

/** The client is gone, so no response can be sent. */
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
        'chunk_extensions_too_large',
        'The chunk extensions of the request body are larger than 16384 bytes. Send chunks without extensions.',
      );
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new ProxyError(
        'request_timeout',
        `The request head did not arrive within --client-send-timeout (${clientSendTimeoutMs} ms).`,
      );
    case 'HPE_INVALID_EOF_STATE':
      return new ProxyError(
        'request_body_incomplete',
        'The client closed the connection in the middle of the request.',
      );
    case 'HPE_PAUSED_H2_UPGRADE':
      return otherVersion('HTTP/2');
    default:
      return syntaxFault(error);
  }
}

function syntaxFault(error: NodeJS.ErrnoException): ProxyError {
  const { code = '', message } = error;
  // One digit, a dot, one digit, and not 1.0 or 1.1: Node's parser lets none of them through as HTTP/1.1.
  if (message.endsWith('Invalid HTTP version')) return otherVersion('another HTTP version');
  const method = unknownMethod(error);
  if (method !== null) {
    const sentence = `The method ${quoted(method)} is not supported: Node's HTTP parser does not know it.`;
    return new ProxyError('method_not_supported', sentence);
  }
  return new ProxyError('bad_request', `The request cannot be parsed: ${why(error)} (${code}).`);
}

function why(error: NodeJS.ErrnoException): string {
  const { code, message } = error;
  if (isTls(error)) return 'it is TLS, and this port speaks plain HTTP; use http:// instead of https://';
  const plain = message.replace(/^Parse Error: /, '');
  return REASONS.find(([of, pattern]) => of === code && pattern.test(plain))?.[2] ?? plain;
}

const CHARACTER = 'a character that is not allowed there';

/** By code and message of Node's parser (llhttp), where its own message is no help. First match wins. */
const REASONS: ReadonlyArray<readonly [code: string, message: RegExp, reason: string]> = [
  [
    'HPE_INVALID_URL',
    /./,
    'its target holds a character that is not allowed in a URL; percent-encode non-ASCII characters',
  ],
  ['HPE_INVALID_METHOD', /./, 'it does not begin with a method and a space'],
  ['HPE_INVALID_VERSION', /./, 'its first line does not end in HTTP/1.1, CR and LF'],
  ['HPE_INVALID_CONSTANT', /./, 'its first line does not end in HTTP/1.1, CR and LF'],
  ['HPE_INVALID_CHUNK_SIZE', /overflow/, 'the size of a chunk of its body is too large'],
  ['HPE_INVALID_CHUNK_SIZE', /./, 'the size of a chunk of its body is not hexadecimal'],
  ['HPE_STRICT', /after chunk data/, 'a chunk of its body does not end where its size says'],
  ['HPE_STRICT', /chunk extension/, `a chunk extension of its body holds ${CHARACTER}`],
  ['HPE_CR_EXPECTED', /./, 'one of its lines ends in LF without CR'],
  ['HPE_LF_EXPECTED', /./, 'one of its lines holds CR without LF'],
  ['HPE_INVALID_HEADER_TOKEN', /value char/, `the value of a field holds ${CHARACTER}`],
  ['HPE_INVALID_HEADER_TOKEN', /whitespace/, 'a field line begins with whitespace'],
  ['HPE_INVALID_HEADER_TOKEN', /./, `the name of a field holds ${CHARACTER}`],
];

/** The record header of a TLS handshake (RFC 8446 section 5.1). Node's error includes the packet. */
function isTls(error: NodeJS.ErrnoException): boolean {
  if (error.code !== 'HPE_INVALID_METHOD') return false;
  const [type, major] = packet(error) ?? [];
  return type === 0x16 && major === 3;
}

/** A method is a token (RFC 9110 section 9.1); its end may not be in the packet. */
const METHOD = /^([!#$%&'*+\-.^_`|~\dA-Za-z]+)(?: |$)/;

/** The method, if that alone made Node's parser refuse the request: well-formed, but not one of `http.METHODS`. */
function unknownMethod(error: NodeJS.ErrnoException): string | null {
  const { code, message } = error;
  if (code !== 'HPE_INVALID_METHOD' && !message.startsWith('Parse Error: Invalid method')) return null;
  const raw = packet(error);
  if (raw === null || !('bytesParsed' in error) || typeof error.bytesParsed !== 'number') return null;
  const start = raw.lastIndexOf('\n', Math.max(0, error.bytesParsed - 1)) + 1;
  return METHOD.exec(raw.toString('latin1', start, start + MAX_METHOD))?.[1] ?? null;
}

const MAX_METHOD = 100;

function packet(error: NodeJS.ErrnoException): Buffer | null {
  if (!('rawPacket' in error) || !(error.rawPacket instanceof Uint8Array)) return null;
  const { buffer, byteOffset, byteLength } = error.rawPacket;
  return Buffer.from(buffer, byteOffset, byteLength);
}
