/** Every way an exchange can be refused: one row each, stated once. */

/** RFC 9209 section 2.3 error types that this proxy uses. */
type ProxyStatusError =
  | 'connection_refused'
  | 'connection_terminated'
  | 'connection_timeout'
  | 'connection_read_timeout'
  | 'connection_limit_reached'
  | 'destination_unavailable'
  | 'destination_ip_unroutable'
  | 'dns_error'
  | 'http_request_error'
  | 'http_protocol_error'
  | 'http_response_incomplete'
  | 'http_response_timeout'
  | 'http_response_body_size'
  | 'http_response_header_section_size'
  | 'http_response_transfer_coding'
  | 'proxy_internal_error'
  | 'proxy_internal_response'
  | 'proxy_loop_detected'
  | 'tls_certificate_error'
  | 'tls_protocol_error';

/** Who is at fault: decides the wording and the log level. */
type ErrorSource = 'client' | 'upstream' | 'proxy';

interface ErrorRow {
  readonly status: number;
  readonly source: ErrorSource;
  readonly proxyStatus: ProxyStatusError;
  readonly title: string;
}

const row = (
  status: number,
  source: ErrorSource,
  proxyStatus: ProxyStatusError,
  title: string,
): ErrorRow => ({ status, source, proxyStatus, title });

/** A stable name for what went wrong: the last part of the problem's `type`, and a label in metrics. */
export type ErrorCode =
  | 'bad_request'
  | 'request_body_incomplete'
  | 'method_not_allowed'
  | 'request_timeout'
  | 'request_body_too_large'
  | 'expectation_failed'
  | 'request_head_too_large'
  | 'chunk_extensions_too_large'
  | 'method_not_supported'
  | 'version_not_supported'
  | 'coding_not_supported'
  | 'loop_detected'
  | 'upstream_refused'
  | 'upstream_not_found'
  | 'upstream_unreachable'
  | 'upstream_certificate'
  | 'upstream_tls'
  | 'connect_timeout'
  | 'no_response'
  | 'first_byte_timeout'
  | 'response_truncated'
  | 'response_unverifiable'
  | 'response_stalled'
  | 'response_malformed'
  | 'response_head_too_large'
  | 'response_coding'
  | 'response_too_large'
  | 'waiting_room_full'
  | 'spool_exhausted'
  | 'out_of_descriptors'
  | 'shutting_down'
  | 'request_body_consumed'
  | 'internal_error';

const ERRORS: Readonly<Record<ErrorCode, ErrorRow>> = {
  bad_request: row(400, 'client', 'http_request_error', 'The request is malformed'),
  request_body_incomplete: row(400, 'client', 'http_request_error', 'The request body is incomplete'),
  method_not_allowed: row(405, 'client', 'http_request_error', 'The method is not allowed'),
  request_timeout: row(408, 'client', 'http_request_error', 'The request took too long to arrive'),
  request_body_too_large: row(413, 'client', 'http_request_error', 'The request body is too large'),
  expectation_failed: row(417, 'client', 'http_request_error', 'The expectation cannot be met'),
  request_head_too_large: row(431, 'client', 'http_request_error', 'The request head is too large'),
  chunk_extensions_too_large: row(
    413,
    'client',
    'http_request_error',
    'The chunk extensions of the request body are too large',
  ),
  method_not_supported: row(501, 'client', 'http_request_error', 'The method is not supported'),
  coding_not_supported: row(501, 'client', 'http_request_error', 'The transfer coding is not supported'),
  version_not_supported: row(505, 'client', 'http_request_error', 'The HTTP version is not supported'),
  loop_detected: row(508, 'client', 'proxy_loop_detected', 'The request is in a loop'),

  upstream_refused: row(503, 'upstream', 'connection_refused', 'The upstream refuses connections'),
  upstream_not_found: row(502, 'upstream', 'dns_error', 'The host name of the upstream does not resolve'),
  upstream_unreachable: row(502, 'upstream', 'destination_ip_unroutable', 'The upstream cannot be reached'),
  upstream_certificate: row(
    502,
    'upstream',
    'tls_certificate_error',
    'The upstream certificate is not trusted',
  ),
  upstream_tls: row(502, 'upstream', 'tls_protocol_error', 'TLS with the upstream failed'),
  connect_timeout: row(504, 'upstream', 'connection_timeout', 'The upstream did not accept the connection'),
  no_response: row(502, 'upstream', 'connection_terminated', 'The upstream closed without a response'),
  first_byte_timeout: row(504, 'upstream', 'http_response_timeout', 'The upstream did not respond in time'),
  response_truncated: row(502, 'upstream', 'http_response_incomplete', 'The upstream cut its response short'),
  response_unverifiable: row(
    502,
    'upstream',
    'http_response_incomplete',
    'Nothing proves that the response is complete',
  ),
  response_stalled: row(
    504,
    'upstream',
    'connection_read_timeout',
    'The upstream stopped in the middle of its response',
  ),
  response_malformed: row(502, 'upstream', 'http_protocol_error', 'The upstream sent a malformed response'),
  response_head_too_large: row(
    502,
    'upstream',
    'http_response_header_section_size',
    'The response head of the upstream is too large',
  ),
  response_coding: row(
    502,
    'upstream',
    'http_response_transfer_coding',
    'The upstream used an unsupported transfer coding',
  ),
  response_too_large: row(
    502,
    'upstream',
    'http_response_body_size',
    'The response of the upstream is too large to buffer',
  ),

  waiting_room_full: row(
    503,
    'proxy',
    'connection_limit_reached',
    'Too many requests are waiting for the upstream',
  ),
  spool_exhausted: row(503, 'proxy', 'proxy_internal_error', 'No room to buffer the exchange'),
  out_of_descriptors: row(503, 'proxy', 'proxy_internal_error', 'Too many files are open'),
  shutting_down: row(503, 'proxy', 'destination_unavailable', 'The proxy is shutting down'),
  request_body_consumed: row(500, 'proxy', 'proxy_internal_error', 'The request body had already been read'),
  internal_error: row(500, 'proxy', 'proxy_internal_error', 'The proxy failed'),
};

/** An exchange that cannot be delivered, or a start that cannot be made. `message` is one sentence for a person. */
export class ProxyError extends Error {
  override readonly name = 'ProxyError';
  readonly code: ErrorCode;
  readonly status: number;
  readonly source: ErrorSource;
  readonly proxyStatus: ProxyStatusError;
  readonly title: string;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
    const { status, source, proxyStatus, title } = ERRORS[code];
    this.status = status;
    this.source = source;
    this.proxyStatus = proxyStatus;
    this.title = title;
  }
}

/** All codes, for documents and tests. */
export const ERROR_CODES: readonly ErrorCode[] = Object.keys(ERRORS).filter(isErrorCode);

function isErrorCode(name: string): name is ErrorCode {
  return Object.hasOwn(ERRORS, name);
}
