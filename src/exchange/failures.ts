/** Why an exchange with the upstream failed: one table, from how its last attempt ended to the error and its sentence. */

import type { Evidence, Limit, ParseFault } from '../upstream/evidence.ts';
import type { VerdictKind } from '../upstream/verdict.ts';
import { connectFailureRow } from './connect-failures.ts';
import {
  announcedTooMuch,
  bodyProgress,
  brokenChunks,
  clause,
  headProgress,
  PROVABLE,
  resetCause,
  resetDetail,
  resetRemedy,
  attemptCount,
} from './failure-phrases.ts';
import type { FailureRow } from './failure-phrases.ts';
import { bytes, duration } from '../config/units.ts';

export function failureRow(verdict: VerdictKind, evidence: Evidence, target: string): FailureRow {
  if (verdict === 'complete') return NO_FAILURE;
  if (verdict === 'unverifiable') return UNVERIFIABLE;
  const { ending, head, headBytes, reusedConnection } = evidence;
  switch (ending.kind) {
    case 'message-end':
      return NO_FAILURE;
    case 'client-gone':
      return CLIENT_GONE;
    case 'connect-failed':
      return connectFailureRow(ending, target);
    case 'limit':
      return LIMITS[ending.limit];
    case 'parse-error':
      return MALFORMED[ending.fault];
    case 'timeout':
      if (ending.waitedFor === 'body-idle') return CUTS['body-stalled'];
      return headBytes === 0 ? CUTS['no-first-byte'] : CUTS['head-stalled'];
    case 'fin':
    case 'rst': {
      const missesCloseNotify = ending.kind === 'rst' && ending.missesCloseNotify;
      const how = ending.kind === 'rst' && !missesCloseNotify ? 'reset' : 'closed';
      if (head !== null) return missesCloseNotify ? CUTS['body-without-close-notify'] : CUTS[`body-${how}`];
      if (headBytes > 0) return CUTS[`head-${how}`];
      return reusedConnection ? CUTS.stale : CUTS[`${how}-unanswered`];
    }
  }
}

/** The upstream closed, reset or fell silent. */
const CUTS = {
  stale: {
    code: 'no_response',
    happened: (f) => `closed a reused connection before sending a response${attemptCount(f)}`,
    cause: 'its keep-alive timeout probably expired',
    remedy: 'Retry the request, or lower --upstream-idle-timeout',
    more: 'Set --upstream-idle-timeout below the keep-alive timeout of the upstream.',
  },
  'closed-unanswered': {
    code: 'no_response',
    happened: (f) => `closed the connection without sending a response${attemptCount(f)}`,
    cause: 'its worker probably crashed, or it does not speak HTTP/1.1',
    remedy: 'Check its log, and --target',
  },
  'reset-unanswered': {
    code: 'no_response',
    happened: (f) => `reset the connection without sending a response${attemptCount(f)}`,
    cause: resetCause,
    remedy: resetRemedy,
    more: resetDetail,
  },
  'no-first-byte': {
    code: 'first_byte_timeout',
    happened: (f) => `sent no response within ${duration(f.settings.firstByteTimeoutMs)}${attemptCount(f)}`,
    cause: (f) =>
      f.evidence.requestBody === 'partly'
        ? 'it probably does not read the request body'
        : 'it is still working, blocked, or stopped at a breakpoint',
    remedy: 'Check what the view is waiting for, or raise --first-byte-timeout',
  },
  'head-closed': {
    code: 'response_truncated',
    happened: (f) => `closed the connection within the response head, ${headProgress(f)}${attemptCount(f)}`,
    cause: 'its worker probably crashed',
    remedy: 'Check its log',
  },
  'head-reset': {
    code: 'response_truncated',
    happened: (f) => `reset the connection within the response head, ${headProgress(f)}${attemptCount(f)}`,
    cause: resetCause,
    remedy: resetRemedy,
    more: resetDetail,
  },
  'head-stalled': {
    code: 'response_stalled',
    happened: (f) =>
      `stalled in the response head for ${duration(f.settings.firstByteTimeoutMs)}, ${headProgress(f)}${attemptCount(f)}`,
    cause: 'it probably never sent the empty line after the head',
    remedy: 'Check what writes the head, or raise --first-byte-timeout',
  },
  'body-closed': {
    code: 'response_truncated',
    happened: (f) => `closed the connection after ${bodyProgress(f)}${attemptCount(f)}`,
    cause: (f) =>
      f.evidence.framing?.kind === 'length'
        ? 'it probably failed while responding, or its Content-Length is wrong'
        : 'it probably failed while responding',
    remedy: 'Check its log for an exception',
  },
  'body-reset': {
    code: 'response_truncated',
    happened: (f) => `reset the connection after ${bodyProgress(f)}${attemptCount(f)}`,
    cause: resetCause,
    remedy: resetRemedy,
    more: resetDetail,
  },
  'body-without-close-notify': {
    code: 'response_truncated',
    happened: (f) => `closed TCP without a TLS close_notify after ${bodyProgress(f)}${attemptCount(f)}`,
    cause: 'the connection was probably cut',
    remedy: 'Check its log for a crash, or send a Content-Length',
    more: 'Without a close_notify, nothing shows whether the response was complete.',
  },
  'body-stalled': {
    code: 'response_stalled',
    happened: (f) =>
      `sent nothing for ${duration(f.settings.bodyIdleTimeoutMs)} after ${bodyProgress(f)}${attemptCount(f)}`,
    cause: (f) =>
      f.evidence.framing?.kind === 'length'
        ? 'its Content-Length is probably too large'
        : 'it is stuck, or keeps it open on purpose',
    remedy: (f) =>
      f.evidence.framing?.kind === 'length'
        ? 'Correct the Content-Length, or raise --body-idle-timeout'
        : 'Raise --body-idle-timeout, or add the path to --stream',
  },
} as const satisfies Readonly<Record<string, FailureRow>>;

const BROKEN_CHUNKS: FailureRow = {
  code: 'response_malformed',
  happened: brokenChunks,
  cause: 'something probably wrote into the body outside the chunks',
  remedy: 'Let only the server write to its connection',
  more: 'An error page written after a stream has begun has this effect.',
};

const MALFORMED: Readonly<Record<ParseFault, FailureRow>> = {
  head: {
    code: 'response_malformed',
    happened: (f) => `sent a response that is not valid HTTP${clause(f)}${attemptCount(f)}`,
    cause: null,
    remedy: 'Correct what writes the head, or check --target: it may need https://',
  },
  length: {
    code: 'response_malformed',
    happened: (f) => `sent an invalid Content-Length${clause(f)}${attemptCount(f)}`,
    cause: 'the end of the response cannot be determined',
    remedy: 'Send Content-Length once, in digits, or leave it to the server',
  },
  coding: {
    code: 'response_coding',
    happened: (f) => `used an unsupported transfer coding${clause(f)}${attemptCount(f)}`,
    cause: 'only chunked is supported',
    remedy: 'Turn it off in the upstream; to compress, use Content-Encoding',
  },
  switch: {
    code: 'response_malformed',
    happened: (f) => `switched protocols (101) although the request did not ask for it${attemptCount(f)}`,
    cause: null,
    remedy: 'Respond with 101 only to a request with an Upgrade field',
  },
  'not-http': {
    code: 'response_malformed',
    happened: (f) => `did not respond in HTTP${clause(f)}${attemptCount(f)}`,
    cause: 'another service, or one that expects TLS, probably listens there',
    remedy: 'Check the port in --target, and whether it needs https://',
  },
  body: BROKEN_CHUNKS,
  'chunk-size': BROKEN_CHUNKS,
  'chunk-end': {
    code: 'response_malformed',
    happened: brokenChunks,
    cause: 'it probably counted characters instead of bytes',
    remedy: 'Count the bytes of each chunk, or let the server frame the chunks',
  },
  'chunk-extension': {
    code: 'response_malformed',
    happened: brokenChunks,
    cause: 'no known chunk extension is that long',
    remedy: 'Send chunks without extensions',
  },
  trailer: {
    code: 'response_malformed',
    happened: (f) =>
      `sent malformed trailers after a body of ${bytes(f.evidence.bodyBytes)}${clause(f)}${attemptCount(f)}`,
    cause: 'the end of the response cannot be determined',
    remedy: 'Correct the trailers, or leave them out',
    more: 'Clients do not receive trailers from lastbyte.',
  },
};

const LIMITS: Readonly<Record<Limit, FailureRow>> = {
  head: {
    code: 'response_head_too_large',
    happened: (f) => `sent a response head of more than ${bytes(f.settings.maxHeaderBytes)}`,
    cause: 'it probably sets too many cookies, or too large ones',
    remedy: 'Send fewer fields, or raise --max-header',
  },
  body: {
    code: 'response_too_large',
    happened: (f) =>
      `${announcedTooMuch(f)}, more than the limit of ${bytes(f.settings.maxResponseBodyBytes)}`,
    cause: null,
    remedy: 'Raise --max-response-body, or add the path to --stream so that it is not buffered',
  },
  spool: {
    code: 'spool_exhausted',
    happened: (f) =>
      `responded, but the exchange could not be buffered after ${bytes(f.evidence.bodyBytes)}${clause(f)}`,
    cause: null,
    remedy: 'Raise --memory-total or --disk-total, or free space in --spool-dir',
  },
};

const UNVERIFIABLE: FailureRow = {
  code: 'response_unverifiable',
  happened: (f) =>
    `sent ${bytes(f.evidence.bodyBytes)} without a Content-Length or chunks and closed the connection`,
  cause: 'nothing proves that the response is complete',
  remedy: 'Send a Content-Length, or set --unverifiable deliver',
  more: `A view whose generator raises an exception ends its response in the same way: check the log of the upstream. ${PROVABLE}.`,
};

const CLIENT_GONE: FailureRow = {
  code: 'internal_error',
  happened: (f) => `lost its client after ${bytes(f.evidence.bodyBytes)} of the response`,
  cause: 'the client disconnected first',
  remedy: 'Check the timeout of the client if it should have waited',
};

const NO_FAILURE: FailureRow = {
  code: 'internal_error',
  happened: (f) => `sent a complete response of ${bytes(f.evidence.bodyBytes)}, which was not delivered`,
  cause: 'this is a bug in lastbyte',
  remedy: 'Please report it, with the log at --log-level debug',
};
